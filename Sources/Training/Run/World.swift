import Collective
import Foundation

/// The ranks of a job, as training sees them.
public struct World {
  public let transport: any Transport
  /// Every rank's host name.
  public let hosts: [String]
  /// What carries the messages: `Open MPI v4.1.4`, or `none` for a rank on its own.
  public let carrier: String
  let watchdog: Watchdog?
  let pulse: Pulse

  /// Collective: every rank tells its host, and how its watchdog is reached.
  /// - Parameter watchdog: one a process, or none.
  public init(
    _ transport: any Transport, host: String, carrier: String, watchdog: Watchdog? = nil
  ) throws {
    self.transport = transport
    self.carrier = carrier
    self.watchdog = watchdog
    let pulse = watchdog?.pulse ?? Pulse()
    self.pulse = pulse
    let hosts = try pulse.waiting {
      let hosts = try transport.allgather(Array(host.utf8)).map {
        String(decoding: $0, as: UTF8.self)
      }
      try watchdog?.join(transport, hosts: hosts)
      return hosts
    }
    self.hosts = hosts
  }

  public var rank: Int { transport.rank }
  public var size: Int { transport.size }
  public var isRoot: Bool { rank == 0 }
  /// Hosts, each once, in the order of ranks.
  public var nodes: [String] {
    hosts.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// Every rank's bytes, on every rank. Collective.
  func allgather(_ bytes: [UInt8]) throws -> [[UInt8]] {
    try pulse.waiting { try transport.allgather(bytes) }
  }

  /// Goes on only if all ranks have the same `value`. Collective.
  /// - Parameter what: what the value describes, for the message.
  /// - Throws: on all ranks alike, `JointFailure` that names the ranks that differ from the most.
  func requireEqual(_ value: String, _ what: String, exitCode: Int32) throws {
    let values = try allgather(Array(value.utf8))
    let odd = World.odd(among: values)
    guard !odd.isEmpty else { return }
    let names = odd.map { "rank \($0) on \(hosts[$0])" }.joined(separator: ", ")
    throw JointFailure(
      exitCode,
      "\(names): \(what) not the same as on the other ranks: every rank must be given the "
        + "same files, LOCKSTEP_* variables and options")
  }

  /// Every rank's `value`, on every rank. Collective.
  func gather<Value: Codable>(_ value: Value) throws -> [Value] {
    try allgather(Array(try JSONEncoder().encode(value))).map {
      try JSONDecoder().decode(Value.self, from: Data($0))
    }
  }

  /// What the root has, on every rank. Collective.
  func fromRoot<Value: Codable>(_ value: Value?) throws -> Value? {
    let mine = isRoot ? try value.map { Array(try JSONEncoder().encode($0)) } : nil
    let bytes = try allgather(mine ?? [])[0]
    return bytes.isEmpty ? nil : try JSONDecoder().decode(Value.self, from: Data(bytes))
  }

  /// Ranks that have something other than what most have; empty if all agree.
  static func odd(among values: [[UInt8]]) -> [Int] {
    let ranks = Dictionary(grouping: values.indices, by: { values[$0] })
    let most = ranks.values.max { ($0.count, -$0[0]) < ($1.count, -$1[0]) } ?? []
    return values.indices.filter { !most.contains($0) }
  }

  /// Ranks on this rank's host, itself included.
  var ranksOnThisHost: Int { hosts.filter { $0 == hosts[rank] }.count }

  /// Runs `body` on every rank and goes on only if it succeeded on all of them. Collective.
  /// - Throws: on all ranks alike, `JointFailure` with what the ranks threw.
  func together<Result>(_ body: () throws -> Result) throws -> Result {
    var result: Result?
    var report: [UInt8] = []
    do {
      result = try body()
    } catch {
      report = Array("\(ExitStatus.of(error)) \(error)".utf8)
    }
    let reports = try allgather(report).map { String(decoding: $0, as: UTF8.self) }
    if let refusal = JointFailure(reports: reports, hosts: hosts) { throw refusal }
    return result!
  }
}

/// What keeps the job from going on, known to all ranks: it is printed once, and everybody goes
/// home.
public struct JointFailure: Error, CustomStringConvertible {
  public let exitCode: Int32
  public let description: String

  /// A failure that all ranks see for themselves, since they all have the same numbers.
  public init(_ exitCode: Int32, _ description: String) {
    self.exitCode = exitCode
    self.description = description
  }

  /// - Parameter reports: of each rank, exit code and message, or nothing.
  init?(reports: [String], hosts: [String]) {
    let refusals = reports.enumerated().filter { !$0.element.isEmpty }
    guard let first = refusals.first else { return nil }
    func message(_ report: String) -> String {
      String(report.drop { $0 != " " }.dropFirst())
    }
    exitCode = Int32(first.element.prefix { $0 != " " }) ?? ExitStatus.internalFault
    if refusals.count == reports.count, refusals.allSatisfy({ $0.element == first.element }) {
      description = message(first.element)
      return
    }
    var seen: Set<String> = []
    description = refusals.filter { seen.insert($0.element).inserted }.map { rank, report in
      let same = refusals.filter { $0.element == report }.count - 1
      let others = same == 0 ? "" : " (and \(same) other rank\(same == 1 ? "" : "s"))"
      return "[\(rank)/\(reports.count) \(hosts[rank])] \(message(report))\(others)"
    }.joined(separator: "\n")
  }
}
