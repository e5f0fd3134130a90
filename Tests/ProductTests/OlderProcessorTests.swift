#if arch(x86_64) && os(Linux)
  import Foundation
  import Kernels
  import TestSupport
  import Testing

  /// The product on CPUs that are older than those it has kernels for.
  @Suite(
    .enabled(
      if: EmulatedProcessor.obstacle == nil,
      "no older CPU can be emulated here: \(EmulatedProcessor.obstacle ?? "")"))
  struct OlderProcessorTests {
    /// Kernels of many kinds, without files.
    private static let configuration = """
      data:
        {format: synthetic, features: [6, 6], classes: 5, train: {samples: 100}, test: {samples: 30}}
      model:
        - {conv: {filters: 3, kernel: 3}}
        - batch-norm
        - gelu
        - {max-pool: 2}
        - {dense: 9}
        - tanh
        - layer-norm
        - {dropout: 0.2}
        - {dense: 5}
      optimizer: {name: adam, learning-rate: 0.01, clip-norm: 1.0, schedule: {name: cosine}}
      training: {epochs: 2, batch-size: 16}
      """

    /// Trains alone, into the folder `name` in `folder`.
    private func train(
      _ program: [String], in folder: TemporaryDirectory, _ name: String,
      environment: [String: String] = [:]
    ) throws -> Command.Result {
      let file = try folder.file("\(name).yaml", OlderProcessorTests.configuration)
      return try Command(
        program + ["train", file, "--output", name], environment: environment,
        directory: folder.path
      ).run()
    }

    @Test("the emulation is true: an instruction of AVX2 ends a program where there is no AVX2")
    func emulation() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("avx2", EmulatedProcessor.avx2Program)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
      func status(_ words: [String]) throws -> Int32 {
        try Command(words, directory: folder.path).run().status
      }
      #expect(try status([file]) == 0)
      #expect(try status(EmulatedProcessor.haswell.running([file])) == 0)
      #expect(try status(EmulatedProcessor.nehalem.running([file])) != 0)
    }

    /// The build under test, and that which run.sh puts on the hosts of a cluster.
    private static let binaries =
      [Launching.lockstep] + (Launching.isReleaseBuilt ? [Launching.releaseBinary] : [])

    @Test(
      "an older CPU runs the newest kernels that it has, with the bits that they have here",
      arguments: binaries, [EmulatedProcessor.nehalem, .haswell])
    func training(lockstep: String, processor: EmulatedProcessor) throws {
      let folder = try TemporaryDirectory()
      let old = try train(processor.running([lockstep]), in: folder, "old")
      #expect(old.status == 0, "\(old.errors)")
      #expect(old.output.contains(" \(processor.kernels) kernels"), "\(old.output)")
      let here = try train(
        [lockstep], in: folder, "here",
        environment: ["LOCKSTEP_KERNELS": processor.kernels.rawValue])
      #expect(here.status == 0, "\(here.errors)")
      #expect(
        try LeftBehind(folder.path + "/old").hash == LeftBehind(folder.path + "/here").hash)
    }

    @Test(
      "kernels that a CPU lacks are refused in words",
      arguments: [
        (EmulatedProcessor.nehalem, InstructionSet.avx2, "baseline"),
        (.nehalem, .avx512, "baseline"), (.haswell, .avx512, "baseline, avx2"),
      ])
    func refusal(processor: EmulatedProcessor, kernels: InstructionSet, usable: String) throws {
      let folder = try TemporaryDirectory()
      let result = try train(
        processor.running([Launching.lockstep]), in: folder, "run",
        environment: ["LOCKSTEP_KERNELS": kernels.rawValue])
      #expect(result.status == 64)
      // QEMU may have warned of features of the model that have nothing to do with it.
      #expect(
        result.errors.hasSuffix(
          "error: LOCKSTEP_KERNELS=\(kernels): this CPU has no \(kernels); it can run \(usable)\n"),
        "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    }
  }
#endif
