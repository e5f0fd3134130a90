import Foundation

/// What there is to say about a job that does not go on.
struct StallReport: CustomStringConvertible {
  let description: String
  /// Whether it is this rank that says it.
  let isMine: Bool
  private let seconds: Double
  private let ranks: [Int]
  private let prefix: String

  init(_ judgement: Judgement, _ table: WatchTable, _ job: Watchdog.Membership, now: Double) {
    let status = RankStatus(table, job, now: now)
    seconds = judgement.seconds
    ranks = judgement.suspects.isEmpty ? judgement.unknown : judgement.suspects
    isMine = judgement.speaker == job.rank
    prefix = job.rank == 0 ? "" : "[\(job.rank)/\(job.size) \(job.hosts[job.rank])] "
    var text = "no progress for \(Int(seconds.rounded())) s: "
    let names = judgement.suspects.prefix(8).map {
      status.line($0, isSilent: judgement.silent.contains($0))
    }
    text +=
      names.isEmpty
      ? "all ranks that are heard of wait for each other, in "
        + "\(table.entries[table.rank].place)" : names.joined(separator: "; ")
    if judgement.suspects.count > 8 { text += "; and \(judgement.suspects.count - 8) more" }
    if !judgement.unknown.isEmpty {
      let unheard = judgement.unknown.prefix(8).map { "rank \($0) on \(job.hosts[$0])" }
      text += "; nothing has been heard of \(unheard.joined(separator: ", "))"
      if judgement.unknown.count > 8 { text += " and \(judgement.unknown.count - 8) more" }
    }
    description = text
  }

  /// Before the ranks have found each other.
  /// - Parameter neighbours: nil without a launcher.
  init(
    _ judgement: Judgement, beforeJoining neighbours: Neighbours?, environment: [String: String]
  ) {
    let rank = environment["PMIX_RANK"].flatMap { Int($0) } ?? 0
    let stopped = neighbours?.ranks.filter(\.isStopped).map(\.rank) ?? []
    let host = ProcessInfo.processInfo.hostName
    seconds = judgement.seconds
    ranks = stopped.isEmpty ? [rank] : stopped
    isMine = neighbours.map { $0.ranks.first { !$0.isStopped }?.rank == rank } ?? true
    prefix = rank == 0 ? "" : "[rank \(rank) \(host)] "
    let names = stopped.map { "rank \($0) on \(host) is stopped" }
    description =
      "no progress for \(Int(seconds.rounded())) s at the start: "
      + (names.isEmpty
        ? "rank \(rank) on \(host) waits for the other ranks or for its files"
        : names.joined(separator: "; "))
  }

  func say(_ text: String) { StandardError.write(prefix + text) }

  func event(step: Int, isLast: Bool) -> StallEvent {
    StallEvent(
      step: step, ranks: ranks, message: description, seconds: seconds, ends: isLast)
  }
}

/// Where all ranks are.
struct RankStatus: CustomStringConvertible {
  private let table: WatchTable
  private let job: Watchdog.Membership
  private let now: Double

  init(_ table: WatchTable, _ job: Watchdog.Membership, now: Double) {
    (self.table, self.job, self.now) = (table, job, now)
  }

  /// The lowest rank that is heard of: it speaks for all.
  var isSpeaker: Bool {
    table.entries.firstIndex { $0.number > 0 && now - $0.heard < 5 } == table.rank
  }

  /// A line for each rank.
  var description: String {
    table.entries.indices.map {
      line($0, isSilent: now - table.entries[$0].heard > 5)
    }.joined(separator: "\n")
  }

  /// Such as `rank 2 on host2: step 120, data, for 61 s`.
  func line(_ rank: Int, isSilent: Bool) -> String {
    let entry = table.entries[rank]
    let name = "rank \(rank) on \(job.hosts[rank])"
    guard entry.number > 0 else { return "\(name): not heard of" }
    var text = "\(name): \(entry.place), for \(StallReport.duration(now - entry.moved))"
    if isStopped(rank) {
      text += ", its process is stopped"
    } else if isSilent {
      text += ", no sign of life for \(StallReport.duration(now - entry.heard))"
    }
    return text
  }

  /// Known of processes on this host.
  private func isStopped(_ rank: Int) -> Bool {
    job.hosts[rank] == job.hosts[job.rank] && ProcessState(job.pids[rank])?.isStopped == true
  }
}

extension StallReport {
  /// Tenths where there are few seconds.
  static func duration(_ seconds: Double) -> String {
    seconds < 10 ? String(format: "%.1f s", max(seconds, 0)) : "\(Int(seconds.rounded())) s"
  }
}
