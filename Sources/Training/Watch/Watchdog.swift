import Collective
import Foundation
import Synchronization

/// Sees to it that nothing hangs silently: a thread beside the one that trains, which exchanges
/// signs of life with the watchdogs of the other ranks.
///
/// When the job has not gone on for `limit` seconds it says who is missed; after twice that time it
/// ends the process with exit code 69, and so the job. It also ends the process when the launcher
/// is gone. On SIGUSR2 it says where every rank is.
public final class Watchdog: Sendable {
  /// Seconds, where no configuration says otherwise.
  public static let defaultLimit = 60.0

  public let pulse = Pulse()
  private let limitBits: Atomic<UInt64>
  /// The launcher's process on this host; nil without one.
  let launcher: pid_t?
  private let joined = Mutex<Membership?>(nil)
  private let listener = Mutex<(@Sendable (StallEvent) -> Void)?>(nil)

  /// - Parameter isLaunched: by mpirun or its like, without which a rank has nobody to work for.
  public init(limit: Double = defaultLimit, isLaunched: Bool) {
    limitBits = Atomic(limit.bitPattern)
    launcher = isLaunched ? getppid() : nil
  }

  /// Seconds without progress after which a warning is due; twice that ends the job.
  public var limit: Double {
    get { Double(bitPattern: limitBits.load(ordering: .relaxed)) }
    set { limitBits.store(newValue.bitPattern, ordering: .relaxed) }
  }

  /// Starts the thread, and handles SIGUSR2 and, under a launcher, SIGPIPE; once in a process, before
  /// MPI starts.
  public func start() {
    StatusRequest.listen()
    if let launcher {
      LauncherRemains.removeAtExit(ifGone: launcher)
      BrokenConnection.handle()
    }
    let thread = Thread { [self] in
      var watch = Watch(self)
      while true { watch.look() }
    }
    thread.name = "watchdog"
    thread.start()
  }

  /// Collective: ranks tell each other how their watchdogs can be reached.
  func join(_ transport: any Transport, hosts: [String]) throws {
    let socket = transport.size > 1 ? WatchSocket() : nil
    let mine = Card(
      address: socket?.address, pid: getpid(), key: UInt64.random(in: 0...UInt64.max))
    let cards = try transport.allgather(Array(try JSONEncoder().encode(mine))).map {
      try JSONDecoder().decode(Card.self, from: Data($0))
    }
    let own = NetworkInterface.all
    let routes = cards.enumerated().map { rank, card -> Route? in
      guard let address = card.address else { return nil }
      return NetworkInterface.route(
        to: address.hosts, isHere: hosts[rank] == hosts[transport.rank], over: own
      ).map { Route(host: $0, port: address.port) }
    }
    joined.withLock {
      $0 = Membership(
        rank: transport.rank, hosts: hosts, pids: cards.map(\.pid), routes: routes,
        key: cards[0].key, socket: socket)
    }
  }

  /// Nil before `join`.
  var membership: Membership? { joined.withLock { $0 } }

  /// Hands stalls to whoever records them: called at any time, on a thread of its own.
  func report(to listener: @escaping @Sendable (StallEvent) -> Void) {
    self.listener.withLock { $0 = listener }
  }

  /// Waits for the listener for a moment: what it writes to may be what hangs.
  func report(_ event: StallEvent) {
    guard let listener = listener.withLock({ $0 }) else { return }
    let isDone = DispatchSemaphore(value: 0)
    let thread = Thread {
      listener(event)
      isDone.signal()
    }
    thread.start()
    _ = isDone.wait(timeout: .now() + 1)
  }

  /// What a rank tells the others of itself.
  private struct Card: Codable {
    var address: WatchSocket.Address?
    var pid: pid_t
    var key: UInt64
  }

  struct Route: Sendable {
    var host: UInt32
    var port: UInt16
  }

  /// What a watchdog knows of the job.
  struct Membership: Sendable {
    var rank: Int
    /// Every rank's host, process, and way to its watchdog.
    var hosts: [String]
    var pids: [pid_t]
    var routes: [Route?]
    /// By which messages of this job are known.
    var key: UInt64
    var socket: WatchSocket?

    var size: Int { hosts.count }
  }
}
