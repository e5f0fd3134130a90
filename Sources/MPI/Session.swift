import CMPI
import Foundation

/// How many threads of a process may call MPI (MPI 3.1, section 12.4.3).
public enum ThreadLevel: Int32, Comparable, Sendable {
  /// There is one thread.
  case single = 0
  /// Only the thread that started MPI calls it.
  case funneled = 1
  /// Any thread, one at a time.
  case serialized = 2
  /// Any thread at any time.
  case multiple = 3

  public static func < (a: ThreadLevel, b: ThreadLevel) -> Bool { a.rawValue < b.rawValue }
}

/// The time between MPI's start and its end. A process has one.
public enum Session {
  /// Starts MPI, runs `body` with all ranks of the job, and ends MPI.
  ///
  /// MPI returns its errors instead of ending the job, so that they can be thrown. What `body`
  /// throws is reported here, once, and ends the whole job with the exit code that `exitCode` has
  /// for it: a rank that went home alone would leave the others waiting for ever.
  ///
  /// The corresponding C functions are `MPI_Init_thread`, `MPI_Finalize` and `MPI_Abort` (MPI 3.1,
  /// sections 12.4.3, 8.7 and 8.7).
  /// - Parameter parameters: settings of Open MPI's components by name (`coll_tuned_...`), which
  ///   hold where neither the launcher nor the environment sets them.
  /// - Throws: `MPIError` if MPI does not start, or lacks the thread level.
  public static func run<Result>(
    requiring level: ThreadLevel = .funneled, parameters: [String: String] = [:],
    exitCode: (any Error) -> Int32 = { $0 is MPIError ? 69 : 70 },
    _ body: (Communicator) throws -> Result
  ) throws(MPIError) -> Result {
    // Open MPI reads them from the environment, once, while it starts.
    for (name, value) in parameters { setenv("OMPI_MCA_\(name)", value, 0) }
    var provided: Int32 = 0
    try check(MPI_Init_thread(nil, nil, level.rawValue, &provided), "MPI_Init_thread")
    try check(
      MPI_Comm_set_errhandler(CMPI_COMM_WORLD(), CMPI_ERRORS_RETURN()), "MPI_Comm_set_errhandler")
    try check(
      MPI_Comm_set_errhandler(CMPI_COMM_SELF(), CMPI_ERRORS_RETURN()), "MPI_Comm_set_errhandler")
    let world = try Communicator(borrowing: CMPI_COMM_WORLD())
    do {
      guard provided >= level.rawValue else {
        throw UnsupportedThreadLevel(required: level, provided: ThreadLevel(rawValue: provided))
      }
      let result = try body(world)
      try check(MPI_Finalize(), "MPI_Finalize")
      return result
    } catch {
      abort(world, because: error, exitCode: exitCode(error))
    }
  }

  /// Between `MPI_Init` and `MPI_Finalize`.
  public static var isActive: Bool {
    var started: Int32 = 0
    var ended: Int32 = 0
    MPI_Initialized(&started)
    MPI_Finalized(&ended)
    return started != 0 && ended == 0
  }

  /// Whether this process was started by a launcher that MPI can join (`mpirun`, `srun`).
  public static func isLaunched(environment: [String: String]) -> Bool {
    ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"].contains {
      environment[$0] != nil
    }
  }

  /// The version that the library reports, such as `Open MPI v4.1.4`.
  public static var libraryVersion: String {
    withUnsafeTemporaryAllocation(
      of: CChar.self, capacity: Int(MPI_MAX_LIBRARY_VERSION_STRING)
    ) { text in
      var length: Int32 = 0
      text.initialize(repeating: 0)
      MPI_Get_library_version(text.baseAddress!, &length)
      let version = String(cString: text.baseAddress!)
      return String(version.prefix { $0 != "," && $0 != "\n" })
    }
  }

  /// This node's name, as MPI knows it.
  public static var processorName: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(MPI_MAX_PROCESSOR_NAME)) { text in
      var length: Int32 = 0
      text.initialize(repeating: 0)
      MPI_Get_processor_name(text.baseAddress!, &length)
      return String(cString: text.baseAddress!)
    }
  }

  private static func abort(
    _ world: Communicator, because error: any Error, exitCode: Int32
  ) -> Never {
    let line = "[\(world.rank)/\(world.size) \(processorName)] error: \(error)\n"
    try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
    MPI_Abort(world.raw, exitCode)
    exit(exitCode)  // not reached: MPI_Abort ends the process
  }
}

/// MPI was built without the thread support that a program needs.
public struct UnsupportedThreadLevel: Error, CustomStringConvertible {
  public var required: ThreadLevel
  public var provided: ThreadLevel?

  public var description: String {
    "this MPI supports thread level \(provided.map { "\($0)" } ?? "unknown") only, \(required) is "
      + "needed: use an Open MPI built with thread support"
  }
}
