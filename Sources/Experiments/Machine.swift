import CCPU
import Foundation

/// What a launch has to know of the machine it starts from.
public struct Machine: Equatable, Sendable {
  /// Cores that this process may use; hardware threads of one core count once.
  public var cores: Int
  public var isRoot: Bool
  /// Whether the kernel lets processes read each other's memory (`process_vm_readv`).
  public var allowsCrossMemoryAttach: Bool

  public init(cores: Int, isRoot: Bool, allowsCrossMemoryAttach: Bool) {
    self.cores = cores
    self.isRoot = isRoot
    self.allowsCrossMemoryAttach = allowsCrossMemoryAttach
  }

  /// This machine.
  public static var current: Machine {
    Machine(
      cores: usableCores(), isRoot: geteuid() == 0,
      allowsCrossMemoryAttach: CCPU_allowsCrossMemoryAttach())
  }

  /// The cores that the affinity of this process and a container's quota leave it.
  private static func usableCores() -> Int {
    // cgroup v2: microseconds of processor time in a period, and the period; `max` is no limit.
    guard let text = try? String(contentsOfFile: "/sys/fs/cgroup/cpu.max", encoding: .utf8),
      case let words = text.split(whereSeparator: \.isWhitespace), words.count == 2,
      let quota = Double(words[0]), let period = Double(words[1]), period > 0
    else { return physicalCores() }
    return max(1, min(physicalCores(), Int((quota / period).rounded(.up))))
  }

  /// Hardware threads of one core count once: two ranks on one core share its arithmetic.
  private static func physicalCores() -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed_list:") })
    else { return ProcessInfo.processInfo.activeProcessorCount }
    // Such as `0-3,8`.
    let usable = line.drop { !$0.isNumber }.split(separator: ",").flatMap { part in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      return ends.isEmpty ? [] : Array(ends.first!...ends.last!)
    }
    let cores = usable.map { cpu -> String in
      let path = "/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list"
      return (try? String(contentsOfFile: path, encoding: .utf8)) ?? "\(cpu)"
    }
    return max(1, Set(cores).count)
  }
}
