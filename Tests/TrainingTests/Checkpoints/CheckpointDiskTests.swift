import Foundation
import TestSupport
import Testing

@testable import Training

/// Disks that are full, read-only or cut off, in mount namespaces of their own: nothing stays mounted.
@Suite(.serialized)
struct CheckpointDiskTests {
  private static let cases = Location.product("CheckpointCases")
  private static let cutPower = Location.package + "/Tests/TrainingTests/Disks/cut-power"

  /// Nil if a command succeeds, else what it says.
  private static func obstacle(_ words: [String]) -> String? {
    do {
      let result = try Command(words, timeLimit: 30).run()
      return result.status == 0 ? nil : result.errors
    } catch {
      return "\(error)"
    }
  }

  private static let mountObstacle = obstacle([
    "unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt",
  ])
  private static let cutObstacle = obstacle([cutPower, cases, "0", "1", "1"])

  /// Runs a shell line as root of a mount namespace; its `$0` is `CheckpointCases`, its `$1` a
  /// folder to mount something on.
  private func mounted(_ line: String) throws -> (Command.Result, folder: String) {
    let folder = try TemporaryDirectory()
    let result = try Command(
      ["unshare", "--mount", "bash", "-c", "set -e; " + line, Self.cases, folder.path],
      timeLimit: 60
    ).run()
    // What was mounted is not seen from outside.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    return (result, folder.path)
  }

  @Test(
    "a full disk ends the saving with its reason; what was acknowledged is whole, nothing else is left",
    .enabled(if: mountObstacle == nil, "nothing can be mounted here: \(mountObstacle ?? "")"))
  func fullDisk() throws {
    // Four checkpoints of 400 kB are there while the fourth is being written.
    let (result, folder) = try mounted(
      """
      mount -t tmpfs -o size=1400k none "$1"
      "$0" save "$1/run" 100000 && exit 1 || echo "exit $?"
      ls -A "$1/run/checkpoints"
      "$0" check "$1/run" 3
      """)
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      result.output == """
        acknowledged 1
        acknowledged 2
        acknowledged 3
        exit 74
        step-00000001.safetensors
        step-00000002.safetensors
        step-00000003.safetensors
        3 good, 0 damaged

        """)
    #expect(
      result.errors == """
        error: \(folder)/run/checkpoints/step-00000004.safetensors: cannot be written: No space left \
        on device: free space, or keep fewer checkpoints; what was there is untouched

        """)
  }

  @Test(
    "a read-only disk is told apart, before and after the first checkpoint",
    .enabled(if: mountObstacle == nil, "nothing can be mounted here: \(mountObstacle ?? "")"))
  func readOnlyDisk() throws {
    let (result, folder) = try mounted(
      """
      mount -t tmpfs none "$1"
      mkdir "$1/made" "$1/made/checkpoints"
      mount -o remount,ro "$1"
      "$0" save "$1/none" 1000 || echo "exit $?"
      "$0" save "$1/made" 1000 || echo "exit $?"
      """)
    #expect(result.output == "exit 73\nexit 73\n")
    #expect(
      result.errors == """
        error: \(folder)/none/checkpoints: the folder cannot be made: Read-only file system: choose \
        another with --output
        error: \(folder)/made/checkpoints/step-00000001.safetensors: cannot be written: Read-only \
        file system: choose another folder with --output; what was there is untouched

        """)
  }

  @Test(
    "power cuts lose nothing that was acknowledged, and leave nothing that passes for good and is not",
    .enabled(if: cutObstacle == nil, "no disk can be cut off here: \(cutObstacle ?? "")"))
  func powerCuts() throws {
    let cuts = ProcessInfo.processInfo.environment["LOCKSTEP_TEST_POWER_CUTS"] ?? "8"
    let result = try Command([Self.cutPower, Self.cases, cuts, "1", "200000"]).run()
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.hasPrefix("\(cuts) cuts during "), "\(result.output)")
  }
}
