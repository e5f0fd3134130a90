import Foundation

/// A watchdog's thread: what it knows, and what it does every time it looks.
struct Watch {
  private let dog: Watchdog
  private var job: Watchdog.Membership?
  private var table = WatchTable(rank: 0, size: 1, now: Watch.now)
  private var lastLook = Watch.now
  /// Doubles from message to message, so that news reach everybody soon.
  private var distance = 1
  /// Whether it was for this rank to warn of the stall; nil while no warning is due.
  private var hasWarned: Bool?
  private var buffer = [UInt8](repeating: 0, count: 1500)

  init(_ dog: Watchdog) { self.dog = dog }

  /// Seconds that a monotonic clock shows.
  private static var now: Double {
    Double(DispatchTime.now().uptimeNanoseconds) / 1e9
  }

  /// Seconds between two looks.
  private var interval: Double { min(max(dog.limit / 20, 0.05), 0.5) }

  /// Looks once and then sleeps, but for messages.
  mutating func look() {
    let now = Watch.now
    if job == nil, let membership = dog.membership {
      job = membership
      table = WatchTable(rank: membership.rank, size: membership.size, now: now)
    }
    let pause = now - lastLook
    lastLook = now
    // Stopped, or on a machine that has other things to do.
    if pause > max(4 * interval, 1) { table.skip(pause) }
    table.update(dog.pulse.place, beats: dog.pulse.beats, now: now)
    sendNews(now)
    if let launcher = dog.launcher, getppid() != launcher { leave() }
    if let sender = StatusRequest.take() { sayStatus(askedBy: sender, now: now) }
    judge(now)
    receiveNews(until: now + interval)
  }

  // MARK: News

  private mutating func sendNews(_ now: Double) {
    guard let job, let socket = job.socket, job.size > 1 else { return }
    let peer = (job.rank + distance) % job.size
    distance = 2 * distance < job.size ? 2 * distance : 1
    guard let route = job.routes[peer] else { return }
    for message in table.messages(key: job.key, now: now) { socket.send(message, to: route) }
  }

  private mutating func receiveNews(until end: Double) {
    while case let left = end - Watch.now, left > 0 {
      guard let job, let socket = job.socket else {
        usleep(UInt32(left * 1e6))
        return
      }
      var request = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
      _ = poll(&request, 1, Int32((left * 1000).rounded(.up)))
      while let message = socket.receive(into: &buffer) {
        table.merge(message, key: job.key, now: Watch.now)
      }
    }
  }

  // MARK: Stalls

  private mutating func judge(_ now: Double) {
    guard let judgement = Judgement(table, limit: dog.limit, now: now) else {
      hasWarned = nil
      return
    }
    let report = job.map { StallReport(judgement, table, $0, now: now) } ?? startReport(judgement)
    if hasWarned == nil {
      hasWarned = report.isMine
      if report.isMine {
        let rest = Int((2 * dog.limit - judgement.seconds).rounded(.up))
        report.say("warning: \(report.description); the job ends in \(rest) s")
      }
      dog.report(report.event(step: table.entries[table.rank].place.step, isLast: false))
    }
    // The speaker's end is the job's. Before ranks have found each other, another that sees it gone
    // would take itself for the speaker.
    let speaks = job == nil ? hasWarned == true : report.isMine
    // The others stay for a while, lest they get ahead of its message; longer if a rank cannot be
    // heard: whoever waits for it in a collective can name it.
    let grace = speaks && judgement.unknown.isEmpty ? 0 : 10.0
    guard judgement.seconds >= 2 * dog.limit + grace else { return }
    dog.report(report.event(step: table.entries[table.rank].place.step, isLast: true))
    report.say(
      "error: \(report.description): look at what it is doing, or raise training.stall-seconds "
        + "(\(dog.limit))")
    _exit(ExitStatus.unavailable)
  }

  /// Before the ranks have found each other: of those on this host, the launcher knows.
  private func startReport(_ judgement: Judgement) -> StallReport {
    StallReport(
      judgement, beforeJoining: dog.launcher.map { Neighbours(of: $0) },
      environment: ProcessInfo.processInfo.environment)
  }

  /// The launcher is gone, and with it standard error: nobody can be told.
  private func leave() -> Never {
    LauncherRemains(environment: ProcessInfo.processInfo.environment)?.remove()
    _exit(ExitStatus.unavailable)
  }

  // MARK: Status

  /// - Parameter sender: the launcher asks all ranks at once, and one answers.
  private func sayStatus(askedBy sender: pid_t, now: Double) {
    guard let job else {
      StandardError.write("rank \(table.rank): \(dog.pulse.place)")
      return
    }
    let status = RankStatus(table, job, now: now)
    if sender != dog.launcher || status.isSpeaker { StandardError.write(status.description) }
  }
}

/// Lines on standard error, whole, from any thread.
enum StandardError {
  static func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
  }
}
