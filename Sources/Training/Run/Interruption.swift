import Foundation
import Synchronization

/// Asks a run to stop before its end, with its state saved.
public protocol Interruption: Sendable {
  /// The first step is about to be made.
  func begin()
  /// Looked at once a step, and now and then during an evaluation. What one rank is asked, all ranks
  /// hear of with that step's gradients.
  var isRequested: Bool { get }
}

/// Stops for nobody.
public struct NoInterruption: Interruption {
  public init() {}
  public func begin() {}
  public var isRequested: Bool { false }
}

/// Stops for the signals by which people, job schedulers and operating systems ask a process to end:
/// SIGINT, SIGTERM, and SIGUSR1, which `mpirun` hands on to all ranks and Slurm sends ahead of time. A
/// second SIGINT ends the process at once. What was ignored when the process began stays ignored.
///
/// From the first step to the process's end: who has made the last step writes down what came of it.
public struct SignalInterruption: Interruption {
  private static let numbers = [SIGINT, SIGTERM, SIGUSR1]

  public init() {}

  public func begin() {
    received.store(false, ordering: .relaxed)
    for number in SignalInterruption.numbers {
      var action = sigaction()
      sigaction(number, nil, &action)
      // 1 is SIG_IGN.
      if unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1 { continue }
      action = sigaction()
      action.__sigaction_handler.sa_handler = takeNote
      action.sa_flags = SA_RESTART
      sigaction(number, &action, nil)
    }
  }

  public var isRequested: Bool { received.load(ordering: .relaxed) }
}

private let received = Atomic(false)

/// The handler does what may be done in one (POSIX.1-2017, section 2.4.3); `begin` has touched the
/// atomic, so that it is there.
private func takeNote(_ number: Int32) {
  let isAgain = received.exchange(true, ordering: .relaxed)
  if isAgain, number == SIGINT {
    signal(number, SIG_DFL)
    raise(number)
  }
}
