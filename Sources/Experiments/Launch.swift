import CCPU
import Foundation

/// How a program is started on many ranks: the `mpirun` line, with the binding, oversubscription and
/// root settings that fit this machine.
public struct Launch: Equatable, Sendable {
  public var ranks: Int
  public var hostfile: String?
  /// The program and its arguments.
  public var command: [String]

  public init(ranks: Int, hostfile: String? = nil, command: [String]) {
    self.ranks = ranks
    self.hostfile = hostfile
    self.command = command
  }

  /// `mpirun` and its arguments, ending with the command.
  public func arguments(on machine: Machine, environment: [String: String]) -> [String] {
    var words = ["mpirun", "-n", "\(ranks)"]
    if machine.isRoot { words.append("--allow-run-as-root") }
    if let hostfile {
      words += ["--hostfile", hostfile]
      // Open MPI sends its own variables to other hosts; ours have to be named.
      for name in environment.keys.sorted() where name.hasPrefix("LOCKSTEP_") {
        words += ["-x", name]
      }
    } else {
      // Open MPI counts cores as slots; more ranks than that are the user's wish.
      words.append("--oversubscribe")
      if environment["OMPI_MCA_hwloc_base_binding_policy"] == nil {
        words += ["--bind-to", ranks <= machine.cores ? "core" : "none"]
      }
    }
    // Spinning ranks that share a core would wait for each other's time slices.
    if hostfile == nil, ranks > machine.cores { words += ["--mca", "mpi_yield_when_idle", "1"] }
    // Where the kernel forbids reading another process's memory, Open MPI would try, and complain.
    if !machine.allowsCrossMemoryAttach {
      words += ["--mca", "btl_vader_single_copy_mechanism", "none"]
    }
    // Without it, every exit code but 0 is followed by a page about mpirun's own view of the matter.
    words.append("--quiet")
    return words + command
  }

  /// The same as one line for a shell.
  public func line(on machine: Machine, environment: [String: String]) -> String {
    arguments(on: machine, environment: environment).map(Launch.quoted).joined(separator: " ")
  }

  private static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=,:@%+".contains($0) }
    return isPlain ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }

  /// Becomes `mpirun`: returns only if that fails.
  /// - Throws: `LaunchError`.
  public func execute(on machine: Machine, environment: [String: String]) throws -> Never {
    let words = arguments(on: machine, environment: environment)
    var pointers = words.map { strdup($0) } + [nil]
    execvp(pointers[0]!, &pointers)
    throw LaunchError(reason: String(cString: strerror(errno)))
  }
}

/// `mpirun` cannot be started.
public struct LaunchError: Error, CustomStringConvertible {
  public var reason: String
  public var description: String {
    "mpirun cannot be started (\(reason)): install Open MPI (Debian: openmpi-bin), or put it in PATH"
  }
}

/// What a launch has to know of the machine it starts from.
public struct Machine: Equatable, Sendable {
  /// Physical cores that this process may use.
  public var cores: Int
  public var isRoot: Bool
  /// Whether the kernel lets processes read each other's memory (`process_vm_readv`).
  public var allowsCrossMemoryAttach: Bool

  public init(cores: Int, isRoot: Bool, allowsCrossMemoryAttach: Bool) {
    self.cores = cores
    self.isRoot = isRoot
    self.allowsCrossMemoryAttach = allowsCrossMemoryAttach
  }

  /// This machine.
  public static var current: Machine {
    Machine(
      cores: physicalCores(), isRoot: geteuid() == 0,
      allowsCrossMemoryAttach: CCPU_allowsCrossMemoryAttach())
  }

  /// Hardware threads of one core count once: two ranks on one core share its arithmetic.
  private static func physicalCores() -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed_list:") })
    else { return ProcessInfo.processInfo.activeProcessorCount }
    // Such as `0-3,8`.
    let usable = line.drop { !$0.isNumber }.split(separator: ",").flatMap { part in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      return ends.isEmpty ? [] : Array(ends.first!...ends.last!)
    }
    let cores = usable.map { cpu -> String in
      let path = "/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list"
      return (try? String(contentsOfFile: path, encoding: .utf8)) ?? "\(cpu)"
    }
    return max(1, Set(cores).count)
  }
}
