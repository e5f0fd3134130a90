import TestSupport

/// A disk of little room, in memory. Only programs that are started on it see it: they have a mount
/// namespace of their own, which takes root.
struct SmallDisk {
  let path: String
  /// As `mount` reads it.
  let size: String

  /// Nil if such disks can be made here, else why not.
  static let obstacle: String? = {
    do {
      let result = try SmallDisk(path: "/mnt", size: "1m").run(["true"])
      return result.status == 0 ? nil : result.errors
    } catch {
      return "\(error)"
    }
  }()

  /// Runs a program where the disk hides what is at its path.
  func run(_ words: [String]) throws -> Command.Result {
    let mount = "mount -t tmpfs -o size=\(size) none \(path) && exec \"$@\""
    return try Command(
      ["unshare", "--mount", "sh", "-c", mount, "-"] + words,
      environment: ["MPIEXEC_TIMEOUT": "60"], timeLimit: 70
    ).run()
  }
}
