import Foundation

/// A rank on another host may hear of a death before the launcher does: Open MPI writes to the dead
/// rank's connection, which raises SIGPIPE. A rank that ended of it would be the first to end, and be
/// named in the dead one's place.
enum BrokenConnection {
  /// Leaves it to the launcher to end the job, and ends this process only if that does not come.
  static func waitForLauncher() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in
      var seconds: UInt32 = 10
      while seconds > 0 { seconds = sleep(seconds) }
      signal(number, SIG_DFL)
      kill(getpid(), number)
    }
    sigaction(SIGPIPE, &action, nil)
  }
}
