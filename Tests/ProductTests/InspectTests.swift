import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// `lockstep inspect`.
  @Suite(.serialized) struct InspectTests {
    private func lines(_ text: String) -> [[String]] {
      text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    @Test("inspect prints layers, shapes and parameters, memory and allreduces")
    func table() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.alone(
        [
          "inspect", file, "-n", "4", "--set",
          "model=[{dense: 17}, {residual: [{dense: 17}, relu]}, {dense: 5}]",
        ], directory: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      let lines = lines(result.output)
      #expect(
        lines.prefix(8) == [
          ["layer", "kind", "output", "parameters", "state"],
          ["input", "20", "-", "-"],
          ["0", "dense", "17", "357", "-"],
          ["1.0", "dense", "17", "306", "-"],
          ["1.1", "relu", "17", "-", "-"],
          ["1", "residual", "17", "-", "-"],
          ["2", "dense", "5", "90", "-"],
          ["753", "-"],
        ])
      // Slabs: tensors from a cache line's start, 352 + 32, 304 + 32 and 96 + 16 elements. Of 64
      // samples, 4 ranks have 16 each. Values: 17, 17, 17 and 5 a row, the ReLU in place; gradients:
      // 17 of the sum's, which the shortcut keeps, and two of 17 in turns.
      let slab = String(format: "%.2f", 4 * 832.0 / 1024)
      let row = 4.0 * 16 / 1024
      // A panel of 32 columns of the first layer's weights, 20 deep, the transpose of their gradient, and
      // sums of tiles, two for each of four levels of the shard tree.
      let scratch: Double = 4 * (20 * 32 + 20 * 17 + 2 * 4 * 12 * 32) / 1024
      func kibibytes(_ value: Double, _ digits: Int = 2) -> String {
        String(format: "%.\(digits)f", value)
      }
      // Parameters and momentum, without the gaps.
      let saved = 2 * 4 * 753.0 / 1024
      let total = 3 * 4 * 832.0 / 1024 + row * 147 + scratch + saved
      let expected: [[String]] = [
        ["memory", "per", "rank"],
        ["parameters", slab, "KiB"], ["gradients", slab, "KiB"], ["optimizer", slab, "KiB"],
        ["state", "0", "B"],
        ["activations", kibibytes(row * 107), "KiB"],
        ["workspace", "0", "B"], ["scratch", kibibytes(scratch, 1), "KiB"],
        ["batches", kibibytes(2 * row * 20), "KiB"],
        ["checkpoint", kibibytes(saved), "KiB"],
        ["total", kibibytes(total, 1), "KiB"],
      ]
      #expect(lines.dropFirst(8).prefix(11) == expected[...], "\(result.output)")
      #expect(result.output.contains("4 ranks, 16 samples on a rank at most\n"))
      // And a cache line that travels along.
      #expect(
        result.output.contains(
          "1 allreduce of gradients a step: \(String(format: "%.2f", 4 * 848.0 / 1024)) KiB\n"))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["small.yaml"])
    }

    @Test("smaller buckets are more allreduces, the last layer's first")
    func buckets() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.alone(
        ["inspect", file, "--set", "collective.bucket-bytes=4"], directory: folder.path)
      // 5 x 17 + 5 behind each other, each from a cache line's start, with the tail; nothing for
      // the ReLU; 20 x 17 + 17.
      #expect(result.output.contains("2 allreduces of gradients a step: 512 B, 1.50 KiB\n"))
    }

    @Test("sums over the batch are allreduces too")
    func batchSums() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.alone(
        [
          "inspect", file, "--set", "model=[{dense: 16}, batch-norm, relu, {dense: 5}, batch-norm]",
        ],
        directory: folder.path)
      #expect(
        result.output.contains(
          "6 allreduces of sums over the batch a step: 64 B, 64 B, 128 B, 20 B, 20 B, 40 B\n"),
        "\(result.output)")
    }

    @Test(
      "what cannot be trained cannot be inspected, with one line and the same exit code",
      arguments: [
        (
          ["--set", "model=[{residual: [{dense: 3}]}]"], 64, "layer 0 (residual): needs layers that"
        ),
        (["-n", "9"], 64, "8 shards cannot be shared by 9 ranks"),
        (["--set", "data={format: idx, train: {features: a, labels: b}}"], 66, "a: no such file"),
        (["--set", "model=[rel]"], 64, "--set model: layer 0: unknown layer 'rel'"),
      ] as [([String], Int32, String)])
    func refused(options: [String], status: Int32, message: String) throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.alone(["inspect", file] + options, directory: folder.path)
      #expect(result.status == status)
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1)
      #expect(result.output.isEmpty)
    }
  }
}
