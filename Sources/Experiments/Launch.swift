import Foundation

/// How a program is started on many ranks: the `mpirun` line, with the binding, oversubscription
/// and root settings that fit this machine.
public struct Launch: Equatable, Sendable {
  public var ranks: Int
  /// Threads of each rank: it is bound to as many cores.
  public var threads: Int
  public var hostfile: String?
  /// The program and its arguments.
  public var command: [String]

  public init(ranks: Int, threads: Int = 1, hostfile: String? = nil, command: [String]) {
    self.ranks = ranks
    self.threads = threads
    self.hostfile = hostfile
    self.command = command
  }

  /// `mpirun` and its arguments, ending with the command.
  public func arguments(on machine: Machine, environment: [String: String]) -> [String] {
    var words = ["mpirun", "-n", "\(ranks)"]
    if machine.isRoot { words.append("--allow-run-as-root") }
    let hasOwnBinding = environment["OMPI_MCA_hwloc_base_binding_policy"] != nil
    if let hostfile {
      words += ["--hostfile", hostfile]
      // Where a host has fewer cores than its ranks have threads, they share them.
      if threads > 1, !hasOwnBinding {
        words += ["--map-by", "slot:PE=\(threads)", "--bind-to", "core:overload-allowed"]
      }
    } else {
      // Open MPI counts cores as slots; more ranks than that are the user's wish.
      words.append("--oversubscribe")
      if !hasOwnBinding {
        if threads > 1, isRoomy(machine) { words += ["--map-by", "slot:PE=\(threads)"] }
        words += ["--bind-to", isRoomy(machine) ? "core" : "none"]
      }
    }
    // Open MPI sends its own variables to other hosts; ours have to be named.
    for name in environment.keys.sorted() where name.hasPrefix("LOCKSTEP_") {
      words += ["-x", name]
    }
    // Spinning ranks that share a core would wait for each other's time slices. Of other hosts it
    // is not known here how many cores they have.
    if hostfile != nil || !isRoomy(machine) { words += ["--mca", "mpi_yield_when_idle", "1"] }
    // A host that no longer answers ends the job within ten seconds; Open MPI would wait for eight
    // minutes.
    if hostfile != nil {
      for (name, value) in [("time", 4), ("intvl", 1), ("probes", 4)]
      where environment["OMPI_MCA_oob_tcp_keepalive_\(name)"] == nil {
        words += ["--mca", "oob_tcp_keepalive_\(name)", "\(value)"]
      }
    }
    // On one machine ranks meet in its memory. The libraries of networks that take whole messages
    // (libfabric, PSM) would be opened all the same: 0.2 of the 0.55 seconds that a short run takes (an
    // Intel Xeon, Open MPI 4.1.4).
    if hostfile == nil, ["mtl", "pml"].allSatisfy({ environment["OMPI_MCA_\($0)"] == nil }) {
      words += ["--mca", "mtl", "^ofi,psm,psm2"]
    }
    // Where the kernel forbids reading another process's memory, Open MPI would try, and complain.
    if !machine.allowsCrossMemoryAttach {
      words += ["--mca", "btl_vader_single_copy_mechanism", "none"]
    }
    return words + command
  }

  /// Whether all threads can have cores of their own on this machine.
  private func isRoomy(_ machine: Machine) -> Bool { ranks <= machine.cores / threads }

  /// How many ranks there is room for: the slots of the hosts, or else this machine's cores, shared
  /// by the threads.
  /// - Throws: `HostfileError`; `LaunchRefusal` if a host does not say how many slots it has.
  public static func slots(
    hostfile: String?, threads: Int = 1, on machine: Machine
  ) throws -> Int {
    guard let hostfile else { return max(1, machine.cores / threads) }
    guard let slots = try Hostfile(path: hostfile).slots else {
      throw LaunchRefusal(
        reason: "-n is needed: not every host of \(hostfile) says how many slots it has")
    }
    return slots
  }

  /// What one job may have; Open MPI counts in 32 bits, and takes larger numbers modulo that.
  public static let possibleRanks = 1...65536

  /// Refuses what Open MPI could not start.
  /// - Throws: `LaunchRefusal`, or `HostfileError` if the hostfile cannot be used.
  public func validate() throws {
    guard Launch.possibleRanks.contains(ranks) else {
      throw LaunchRefusal(reason: "\(ranks) ranks: a job has 1 to 65536")
    }
    guard let hostfile, let slots = try Hostfile(path: hostfile).slots, ranks > slots else {
      return
    }
    throw LaunchRefusal(
      reason:
        "\(ranks) ranks: the hosts of \(hostfile) have \(slots) slot\(slots == 1 ? "" : "s"): "
        + "start fewer ranks, or give the hosts more slots")
  }

  /// The same as one line for a shell.
  public func line(on machine: Machine, environment: [String: String]) -> String {
    arguments(on: machine, environment: environment).map(Launch.quoted).joined(separator: " ")
  }

  /// A word as a shell reads it.
  public static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=,:@%+".contains($0) }
    return isPlain ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}

/// A job that Open MPI could not start.
public struct LaunchRefusal: Error, CustomStringConvertible {
  public var reason: String
  public var description: String { reason }
}

/// `mpirun` cannot be started.
public struct LaunchError: Error, CustomStringConvertible {
  public var reason: String
  public var description: String {
    "mpirun cannot be started (\(reason)): install Open MPI (Debian: openmpi-bin), or put it in PATH"
  }
}
