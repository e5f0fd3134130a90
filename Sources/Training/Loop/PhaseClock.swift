import Foundation

/// Where a rank's time goes.
struct PhaseClock {
  enum Phase: Int, CaseIterable {
    case data
    case compute
    case communication
    case evaluation
    case other
  }

  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var last: ContinuousClock.Instant
  private var phase = Phase.other
  private var spent: InlineArray<5, Duration> = .init(repeating: .zero)

  init() {
    start = clock.now
    last = start
  }

  /// Ends the current phase and begins another.
  mutating func enter(_ next: Phase) {
    let now = clock.now
    spent[phase.rawValue] += now - last
    last = now
    phase = next
  }

  func seconds(in phase: Phase) -> Double { spent[phase.rawValue].seconds }

  /// Seconds in the phases that a step consists of.
  var trainingSeconds: Double {
    seconds(in: .data) + seconds(in: .compute) + seconds(in: .communication)
  }

  /// Since the clock was made.
  var elapsed: Double { (clock.now - start).seconds }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

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
