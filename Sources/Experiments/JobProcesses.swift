import Foundation

/// The processes of a job on this host. They are known by a variable in their environment, which
/// children inherit, so that nobody else's are touched.
struct JobProcesses {
  static let variable = "LOCKSTEP_JOB"

  /// The variable's value.
  let name = "\(getpid())-\(String(UInt64.random(in: 0...UInt64.max), radix: 16))"

  var running: [pid_t] {
    let mark = Data("\(JobProcesses.variable)=\(name)".utf8)
    return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [])
      .compactMap { pid_t($0) }
      .filter { pid in
        // A process that has ended, and waits to be asked how, has no environment left.
        pid != getpid()
          && FileManager.default.contents(atPath: "/proc/\(pid)/environ")?
            .split(separator: 0).contains(mark[...]) == true
      }
  }

  /// Waits until all have ended, and ends those that have not by `deadline`.
  func end(by deadline: DispatchTime) {
    // Killed, a process takes a moment to be gone; one that hangs in the kernel stays.
    let last = deadline + 2
    while case let left = running, !left.isEmpty, DispatchTime.now() < last {
      if DispatchTime.now() >= deadline { for pid in left { kill(pid, SIGKILL) } }
      usleep(20_000)
    }
  }
}
