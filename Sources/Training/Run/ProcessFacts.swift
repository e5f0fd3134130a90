import Foundation

/// What the operating system knows of this process.
enum ProcessFacts {
  /// Seconds since this process was started, to 10 ms.
  static var age: Double {
    guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return 0 }
    // The 22nd field, counted from before the command's name: ticks from boot to start.
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 19, let ticks = Double(fields[19]) else { return 0 }
    var now = timespec()
    clock_gettime(CLOCK_BOOTTIME, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
      - ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// The most memory that this process has had in use, in bytes.
  static var peakResidentBytes: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}
