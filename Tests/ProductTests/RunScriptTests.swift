import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// `run.sh`.
  @Suite(.serialized) struct RunScriptTests {
    @Test(
      "run.sh trains with any placement of its options",
      .enabled(if: Launching.isReleaseBuilt, "needs an up-to-date release build: ./run.sh build"))
    func runScript() throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      let script = Location.package + "/run.sh"
      let result = try Command(
        [script, "train", "small.yaml", "-n", "2", "--set", "training.epochs=1"],
        directory: folder.path
      ).run()
      #expect(result.status == 0, "\(result.errors)")
      let left = try LeftBehind(folder.path + "/run").summary
      #expect(left["ranks"] as? Int == 2)
      #expect(left["steps"] as? Int == 5)

      let hosts = try folder.file("hosts", "localhost slots=3\n")
      for options in [
        ["--hostfile", hosts, "small.yaml", "-n", "2"],
        ["small.yaml", "-n2", "--hostfile=\(hosts)"],
      ] {
        let dry = try Command(
          [script, "train"] + options, environment: ["DRY_RUN": "1"], directory: folder.path
        ).run()
        #expect(dry.status == 0, "\(dry.errors)")
        #expect(dry.output.hasPrefix("mpirun -n 2 "))
        #expect(dry.output.contains("--hostfile \(hosts)"))
        #expect(dry.output.hasSuffix("train small.yaml\n"))
      }
      // Without -n: as many ranks as the hostfile has slots, down to a power of two.
      let slots = try Command(
        [script, "train", "small.yaml", "--hostfile", hosts], environment: ["DRY_RUN": "1"],
        directory: folder.path
      ).run()
      #expect(slots.output.hasPrefix("mpirun -n 2 "))

      let missing = try Command(
        [script, "train", "small.yaml", "--hostfile", "nowhere"], directory: folder.path
      ).run()
      #expect(missing.status == 66)
      #expect(missing.errors == "error: nowhere: no such hostfile\n")
      #expect(try Command([script, "--help"]).run().output.contains("usage: ./run.sh"))
    }
  }
}
