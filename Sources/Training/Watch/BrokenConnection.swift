import Foundation

/// SIGPIPE, which Open MPI's write to the connection of a dead rank raises. A rank on another host may
/// so hear of a death before the launcher does; if it died of the signal it would be the first that
/// the launcher knows of, and be named in the dead one's place. (With the signal ignored, Open MPI would
/// end the rank for the write that failed, to the same effect.)
enum BrokenConnection {
  /// Seconds that the launcher has to end the job: it knows of a host that was cut off after eight.
  private static let patience: UInt32 = 10

  /// Installs a handler that holds the thread which wrote, and ends the process only if the launcher
  /// does not. All that it calls is safe in a handler.
  static func handle() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in
      var seconds = BrokenConnection.patience
      while seconds > 0 { seconds = sleep(seconds) }
      signal(number, SIG_DFL)
      raise(number)
    }
    sigaction(SIGPIPE, &action, nil)
  }
}
