#if os(Linux)
  import Foundation
  import Kernels
  import Testing

  @testable import NN

  struct StepMemoryTests {
    /// In a process of its own, where nothing else allocates. The smallest block of the C library
    /// takes 32 bytes: one that every step leaves behind would be 320 KB here.
    @Test("memory in use does not grow from step to step")
    func doesNotGrow() async {
      await #expect(processExitsWith: .success) {
        let kernels = KernelSet(InstructionSet.supported.last!)
        let network = try Network(
          [
            .dense(units: 8), LayerSpecification("batch-norm"), .relu,
            .residual([LayerSpecification("dropout", 0.5), .dense(units: 8)]), .dense(units: 3),
          ], inputShape: Shape(5), maximumRows: 4)
        network.initialize(seed: 1)
        let optimizers = OptimizerSpecification.kinds.map {
          OptimizerSpecification($0).optimizer(layout: network.layout)
        }
        let batch = SampleBatch(rows: 4, features: 5, outputs: 3, random: 1)
        let shards = ShardRows(first: 0, ends: [1, 2, 2, 4])
        func train(steps: Int) throws {
          for step in 0..<steps {
            try network.computeGradients(
              batch, loss: .softmaxCrossEntropy, shards: shards, kernels: kernels)
            optimizers[step % optimizers.count].step(
              network.parameters, gradients: network.gradients, GradientTerms(scale: 0.25),
              learningRate: 0.1, kernels: kernels)
          }
        }
        /// Memory that no file backs, counted page by page (proc(5), smaps_rollup). Other pages
        /// the kernel takes back and fetches as it likes, and statm's counts are off by dozens.
        func bytesInUse() throws -> Int {
          let text = try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)
          let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
          return lines.reduce(0) { sum, words in
            guard ["Pss_Anon:", "Pss_Shmem:"].contains(words[0]), let kilobytes = Int(words[1])
            else {
              return sum
            }
            return sum + kilobytes * 1024
          }
        }
        // The first look at it takes memory of its own.
        _ = try bytesInUse()
        try train(steps: 1000)
        let before = try bytesInUse()
        try train(steps: 10_000)
        let growth = try bytesInUse() - before
        exit(growth < 10_000 * 32 / 2 ? EXIT_SUCCESS : EXIT_FAILURE)
      }
    }
  }
#endif
