import Foundation
import Synchronization

/// SIGUSR2, by which a user asks where the ranks are.
enum StatusRequest {
  /// The process that asked last; -1 if nobody is waiting for an answer.
  private static let sender = Atomic<pid_t>(-1)

  /// The signal interrupts nothing: a watchdog looks for it.
  static func listen() {
    var action = sigaction()
    action.sa_flags = SA_RESTART | SA_SIGINFO
    action.__sigaction_handler.sa_sigaction = { _, info, _ in
      StatusRequest.sender.store(
        info?.pointee._sifields._kill.si_pid ?? 0, ordering: .relaxed)
    }
    sigaction(SIGUSR2, &action, nil)
  }

  /// Who asked since the last call.
  static func take() -> pid_t? {
    let sender = sender.exchange(-1, ordering: .relaxed)
    return sender >= 0 ? sender : nil
  }
}
