import Foundation
import NN
import Training

/// What tests do to checkpoints in a process that can be ended, on a disk that can be lost.
@main
enum CheckpointCases {
  static func main() {
    let words = CommandLine.arguments.dropFirst()
    do {
      switch (words.first, words.dropFirst().first, words.dropFirst(2).first.flatMap { Int($0) }) {
      case ("save", let run?, let count?): try save(in: run, count: count)
      case ("check", let run?, let acknowledged?): try check(run, acknowledged: acknowledged)
      case ("time", let run?, let count?): try time(in: run, count: count)
      default:
        FileHandle.standardError.write(
          Data(
            """
            usage: CheckpointCases save RUN FLOATS        saves until it cannot
                   CheckpointCases check RUN STEP         reads what there is, STEP at the least
                   CheckpointCases time RUN FLOATS        what a checkpoint costs

            """.utf8))
        exit(64)
      }
    } catch {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      exit(ExitStatus.of(error))
    }
  }

  /// Saves a checkpoint after every step, and says so when it is there: `acknowledged 17`.
  private static func save(in run: String, count: Int) throws {
    let state = State(count: count)
    let writer = try CheckpointWriter(CheckpointStore(runDirectory: run), groups: state.groups)
    for step in 1... {
      state.fill(step: step)
      _ = try writer.save(State.record(step: step), whenBusy: .wait)
      for receipt in try writer.finish() {
        // One call each: a line is there as a whole or not at all.
        let line = Array("acknowledged \(receipt.step)\n".utf8)
        guard write(1, line, line.count) == line.count else { exit(74) }
      }
    }
  }

  /// Reads all checkpoints: each must be that of its step, or refused as damaged, and the newest
  /// good one must not be older than step `acknowledged`. Prints how many there are of each kind.
  private static func check(_ run: String, acknowledged: Int) throws {
    var store = CheckpointStore(runDirectory: run)
    var damaged = 0
    let steps = try store.steps()
    for step in steps {
      do {
        let checkpoint = try store.checkpoint(step: step)
        try State.require(checkpoint, isOf: step)
      } catch let fault as TensorFileFault where fault.kind == .damaged {
        damaged += 1
      }
    }
    let newest = steps.count == damaged ? nil : try store.newestGood { _ in }
    guard newest?.record.step ?? 0 >= acknowledged else {
      throw CaseFailure(
        description: "step \(acknowledged) was acknowledged and is lost; there are \(steps), "
          + "\(damaged) of them damaged")
    }
    print("\(steps.count - damaged) good, \(damaged) damaged")
  }
}

struct CaseFailure: Error {
  var description: String
}
