import CCPU
import Foundation

/// What a launch has to know of the machine it starts from.
public struct Machine: Equatable, Sendable {
  /// Physical cores that this process may use.
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
      cores: physicalCores(), isRoot: geteuid() == 0,
      allowsCrossMemoryAttach: CCPU_allowsCrossMemoryAttach())
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
