import Glibc

/// A cache that holds data, of the CPU that this process started on, or any like it.
package struct DataCache {
  package var byteCount: Int
  /// CPUs that share it.
  package var cpus: Int

  /// The first level first, as the kernel tells; empty where it tells nothing.
  package static let levels: [DataCache] = (0..<8).compactMap { index in
    func text(_ name: String) -> String {
      guard let file = fopen("/sys/devices/system/cpu/cpu0/cache/index\(index)/\(name)", "r") else {
        return ""
      }
      defer { fclose(file) }
      var bytes = [CChar](repeating: 0, count: 4096)
      fgets(&bytes, Int32(bytes.count), file)
      return String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
    guard !text("type").hasPrefix("Instruction"),
      let kibibytes = Int(text("size").prefix { $0.isNumber })
    else { return nil }
    // Groups of 32 CPUs, a bit each, in hexadecimal.
    let cpus = text("shared_cpu_map").reduce(0) { $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount }
    return DataCache(byteCount: kibibytes << 10, cpus: max(1, cpus))
  }.sorted { $0.byteCount < $1.byteCount }
}
