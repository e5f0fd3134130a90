import Foundation
import Kernels
import MPI

/// On what hardware a benchmark runs, as far as its ranks can see.
struct BenchmarkMachine {
  /// Of rank 0's CPU, such as `AMD EPYC`.
  let cpu: String
  /// The logical CPUs of rank 0's host.
  let cpus: Int
  /// Bytes of the largest cache that a core of any rank's CPU has, or shares.
  let lastLevelCache: Int
  /// Every rank's host.
  let hosts: [String]
  /// The CPUs that every rank may run on, such as `0` or `0-7`.
  let binding: [String]

  /// Collective.
  init(_ world: Communicator) throws {
    func everyRank(_ text: String) throws -> [String] {
      try world.allgather(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }
    cpu = BenchmarkMachine.cpuName
    cpus = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    lastLevelCache = try everyRank("\(BenchmarkMachine.ownCaches.last!)").compactMap(Int.init)
      .max()!
    hosts = try everyRank(Session.processorName)
    binding = try everyRank(
      BenchmarkMachine.field("Cpus_allowed_list", of: "/proc/self/status") ?? "unknown")
  }

  /// Of this host.
  static var cpuName: String { field("model name", of: "/proc/cpuinfo") ?? "unknown CPU" }

  /// The value behind `name:` in a file of the kernel's.
  private static func field(_ name: String, of path: String) -> String? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let colon = line.firstIndex(of: ":")
    else { return nil }
    return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
  }

  /// Bytes of each of the first core's caches for data, the first level first, as the kernel says;
  /// 32 MiB alone where it says nothing.
  static var ownCaches: [Int] {
    DataCache.levels.isEmpty ? [32 << 20] : DataCache.levels.map(\.byteCount)
  }
}
