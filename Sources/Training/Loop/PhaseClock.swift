import Foundation

/// Where a rank's time goes.
final class PhaseClock {
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant
  private(set) var phase = Phase.start
  private var spent: InlineArray<8, Duration> = .init(repeating: .zero)
  private let pulse: Pulse

  /// - Parameter pulse: is told of every phase.
  init(pulse: Pulse) {
    precondition(spent.count == Phase.allCases.count)
    self.pulse = pulse
    last = clock.now
  }

  /// Seconds in each phase, in order.
  var seconds: [Double] { Phase.allCases.map(seconds(in:)) }

  /// Goes on from what an earlier run had spent when its state was saved.
  func resume(from earlier: [Double]) {
    for (phase, seconds) in zip(Phase.allCases, earlier) {
      spent[phase.rawValue] += .seconds(seconds)
    }
  }

  /// Ends the current phase and begins another.
  func enter(_ next: Phase) {
    let now = clock.now
    spent[phase.rawValue] += now - last
    last = now
    phase = next
    pulse.enter(next)
  }

  func seconds(in phase: Phase) -> Double { spent[phase.rawValue].seconds }

  /// Seconds in the phases that a step consists of.
  var trainingSeconds: Double {
    seconds(in: .data) + seconds(in: .compute) + seconds(in: .communication)
  }

  /// In all phases, the current one included.
  var elapsed: Double { spent.indices.reduce(clock.now - last) { $0 + spent[$1] }.seconds }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
