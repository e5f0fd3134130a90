import Foundation
import MPI
import Training

/// Runs cases on every rank, one after the other, under mpirun:
/// `mpirun -n 3 RankCases point-to-point transport`.
@main
enum RankCases {
  /// What a case does on each rank; it throws if something is not as it should be.
  typealias Case = @Sendable (Communicator) throws -> Void

  static let cases: [String: Case] = [
    "allreduce": allreduceCase,
    "collectives": collectivesCase,
    "dropped-request": droppedRequestCase,
    "errors": errorsCase,
    "fallback": fallbackCase,
    "flip": flipCase,
    "in-flight": inFlightCase,
    "layer": layerCase,
    "large-counts": largeCountsCase,
    "leaving-watched": leavingCase,
    "measurement": measurementCase,
    "mpi-allreduce": mpiAllreduceCase,
    "point-to-point": pointToPointCase,
    "shared-window": sharedWindowCase,
    "silent-exit": silentExitCase,
    "sleeping-watched": sleepingCase,
    "split": splitCase,
    "spoil": spoilCase,
    "step-allocations": stepAllocationsCase,
    "thread-allocations": threadAllocationsCase,
    "throw": throwCase,
    "transport": transportCase,
    "unforced": unforcedCase,
  ]

  /// Cases for groups that are joined in one way, `late-messages`, or in every way in turn, `late`.
  static let groupCases: [String: @Sendable (Communicator, Joining) throws -> Void] = [
    "absent": absentCase,
    "allocations": allocationsCase,
    "crowded": crowdedCase,
    "endless": endlessCase,
    "exact": exactCase,
    "group": groupCase,
    "late": lateCase,
    "memory": memoryCase,
    "mismatch": mismatchCase,
    "missing": missingCase,
    "order": orderCase,
    "others": otherCollectivesCase,
  ]

  private static func named(_ name: String) -> Case? {
    if let known = cases[name] { return known }
    if let run = groupCases[name] {
      return { world in for joining in Joining.allCases { try run(world, joining) } }
    }
    let words = name.split(separator: "-").map(String.init)
    guard words.count == 2, let run = groupCases[words[0]],
      let joining = Joining(rawValue: words[1])
    else { return nil }
    return { try run($0, joining) }
  }

  static func main() throws {
    let names = CommandLine.arguments.dropFirst()
    let runs = names.compactMap(named)
    guard !runs.isEmpty, runs.count == names.count else {
      let known = cases.keys.sorted() + groupCases.keys.sorted()
      FileHandle.standardError.write(
        Data("usage: RankCases CASE ...\ncases: \(known.joined(separator: " "))\n".utf8))
      exit(64)
    }
    let parameters = names.contains("mpi-allreduce") ? TunedAllreduce.sessionParameters : [:]
    try Session.run(
      parameters: parameters,
      exitCode: { (($0 as? RankFailure)?.cause ?? $0) is DeliberateError ? 76 : 1 }
    ) { world in
      for (name, run) in zip(names, runs) {
        try run(world)
        try world.barrier()
        if world.rank == 0 { print("passed \(name) on \(world.size)") }
      }
    }
  }
}

/// Something was not as it should be.
struct CaseFailure: Error, CustomStringConvertible {
  var description: String
}

func expect(
  _ condition: Bool, _ message: @autoclosure () -> String, line: Int = #line
) throws {
  if !condition { throw CaseFailure(description: "line \(line): \(message())") }
}

/// Bytes that differ for every sender and every position.
func pattern(_ rank: Int, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 31) ^ (rank &* 97) ^ ($0 >> 8)) }
}
