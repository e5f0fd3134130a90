import Foundation
import Synchronization

/// What Open MPI leaves on this host when its launcher is killed: the session folder, and files in
/// shared memory whose names carry the job's number.
struct LauncherRemains {
  private let folder: String
  /// Of the job, in hexadecimal.
  private let job: String

  /// Nil if Open MPI did not start this process.
  init?(environment: [String: String]) {
    guard let folder = environment["PMIX_SERVER_TMPDIR"], folder.contains("/ompi."),
      let job = environment["PMIX_NAMESPACE"].flatMap({ UInt32($0) })
    else { return nil }
    self.folder = folder
    self.job = String(job, radix: 16)
  }

  func remove() {
    let files = FileManager.default
    try? files.removeItem(atPath: folder)
    let memory = "/dev/shm"
    for name in (try? files.contentsOfDirectory(atPath: memory)) ?? []
    where name.split(separator: ".").contains(Substring(job)) {
      try? files.removeItem(atPath: "\(memory)/\(name)")
    }
  }

  private static let launcher = Atomic<pid_t>(0)

  /// Open MPI ends a process that has lost its launcher, by `exit`, and often before the watchdog
  /// looks.
  static func removeAtExit(ifGone launcher: pid_t) {
    self.launcher.store(launcher, ordering: .relaxed)
    atexit {
      guard getppid() != LauncherRemains.launcher.load(ordering: .relaxed) else { return }
      LauncherRemains(environment: ProcessInfo.processInfo.environment)?.remove()
    }
  }
}
