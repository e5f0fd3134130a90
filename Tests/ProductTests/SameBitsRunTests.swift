import TestSupport
import Testing

extension ProductTests {
  /// The table of `SameBits` under mpirun: what loopback ranks cannot show is MPI's part in it.
  @Suite(.serialized) struct SameBitsRunTests {
    private static let models = SameBits.models.filter {
      ["perceptron", "convolution", "batch-norm"].contains($0.description)
    }

    @Test(
      "a model ends with one hash on 1, 3, 5 and 8 ranks, in shared memory and by messages",
      // The one whose forward pass adds up over ranks too.
      arguments: Thoroughness.cases(models, everyday: models.suffix(1)))
    func oneHash(model: SameBits.Model) throws {
      let optimizer = SameBits.optimizers[
        SameBitsRunTests.models.firstIndex {
          $0.description == model.description
        }!]
      let folder = try TemporaryDirectory()
      let file = try folder.file(
        "run.yaml", try model.configuration(optimizer: optimizer, in: folder))
      var hashes: [String] = []
      for (ranks, algorithm) in [
        (1, "auto"), (2, "tree"), (3, "auto"), (3, "tree"), (3, "direct"), (5, "auto"), (8, "auto"),
      ] {
        let result = try Launching.mpirun(
          ranks,
          [
            Launching.lockstep, "train", file, "--set", "collective.algorithm=\(algorithm)",
            "--set", "collective.tuning=rules",
          ], directory: folder.path)
        #expect(result.status == 0, "\(result.errors)")
        hashes.append(try LeftBehind(folder.path + "/run").hash)
      }
      #expect(Set(hashes).count == 1, "\(hashes)")
    }
  }
}
