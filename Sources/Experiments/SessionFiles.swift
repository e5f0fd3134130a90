import Foundation

/// What `mpirun` leaves on this host if it is killed: its session folder, and files in shared
/// memory whose names carry the job's number.
struct SessionFiles {
  private let folder: String
  /// Of the job, in hexadecimal; nil if it cannot be known.
  private let job: String?

  /// Nil if there is nothing left.
  /// - Parameter pid: `mpirun`'s.
  init?(of pid: pid_t, environment: [String: String]) {
    let names = [
      "OMPI_MCA_orte_tmpdir_base", "OMPI_MCA_orte_local_tmpdir_base", "TMPDIR", "TEMP", "TMP",
    ]
    let files = FileManager.default
    let folders = (names.compactMap { environment[$0] } + ["/tmp"]).flatMap { base in
      ((try? files.contentsOfDirectory(atPath: base)) ?? [])
        .filter { $0.hasPrefix("ompi.") && $0.hasSuffix(".\(geteuid())") }
        .map { "\(base)/\($0)/pid.\(pid)" }
    }
    guard let folder = folders.first(where: files.fileExists) else { return nil }
    self.folder = folder
    // Such as `493027328.0;tcp://...`: the launcher's own number, and the job's is the next.
    job = (try? String(contentsOfFile: "\(folder)/contact.txt", encoding: .utf8)).flatMap {
      UInt32($0.prefix { $0.isNumber }).map { String($0 + 1, radix: 16) }
    }
  }

  func remove() {
    let files = FileManager.default
    try? files.removeItem(atPath: folder)
    guard let job else { return }
    let memory = "/dev/shm"
    for name in (try? files.contentsOfDirectory(atPath: memory)) ?? []
    where name.split(separator: ".").contains(Substring(job)) {
      try? files.removeItem(atPath: "\(memory)/\(name)")
    }
  }
}
