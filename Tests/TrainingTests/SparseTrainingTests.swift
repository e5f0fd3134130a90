import Datasets
import Foundation
import TestSupport
import Testing

@testable import Training

/// Runs over data in LIBSVM's format.
struct SparseTrainingTests {
  private static let features = 40

  /// Rows of numbers, most of them zero, and the class of each: which third has the largest sum.
  private static func samples(_ count: Int, from first: Int) -> [(label: Int, values: [Double])] {
    (first..<first + count).map { number in
      var values = [Double](repeating: 0, count: features)
      for k in 0..<6 {
        values[(number * 37 + k * k * 11) % features] = Double(1 + (number + 5 * k) % 8) / 8
      }
      let sums = (0..<3).map { part in values[part * 13..<(part + 1) * 13].reduce(0, +) }
      return (sums.firstIndex(of: sums.max()!)!, values)
    }
  }

  private static let training = samples(150, from: 0)
  private static let test = samples(50, from: 1000)

  private static func settings(units: String = "{units: 16}") -> String {
    """
    model: [{dense: \(units)}, relu, {dense: 3}]
    optimizer: {learning-rate: 0.5, momentum: 0.5}
    training: {epochs: 6, batch-size: 32}
    log: {every-steps: 1}
    """
  }

  /// The data as files, indices from 1.
  private static func sparse(in folder: TemporaryDirectory, _ settings: String) throws -> String {
    func file(_ name: String, _ samples: [(label: Int, values: [Double])]) throws -> String {
      let lines = samples.map { sample in
        "\(sample.label)"
          + sample.values.enumerated().filter { $0.element != 0 }
          .map { " \($0.offset + 1):\($0.element)" }.joined()
      }
      return try folder.file(name, lines.joined(separator: "\n"))
    }
    return """
      data:
        format: libsvm
        train: {file: \(try file("train", training))}
        test: {file: \(try file("test", test))}
      \(settings)
      """
  }

  /// The same data, every number of them.
  private static func full(_ settings: String) -> String {
    func part(_ samples: [(label: Int, values: [Double])]) -> String {
      "{features: \(samples.map(\.values)), labels: \(samples.map(\.label))}"
    }
    return """
      data:
        format: inline
        train: \(part(training))
        test: \(part(test))
      \(settings)
      """
  }

  @Test("a run over sparse data ends as one over the same data stored in full, bit for bit")
  func sameAsFull() throws {
    let folder = try TemporaryDirectory()
    let settings = SparseTrainingTests.settings(units: "{units: 16, bias: false}")
    let sparse = try TrainedRun(yaml: SparseTrainingTests.sparse(in: folder, settings), ranks: 1)
    let full = try TrainedRun(yaml: SparseTrainingTests.full(settings), ranks: 1)
    #expect(sparse.summaries[0].parameterSha256 == full.summaries[0].parameterSha256)
    #expect(try sparse.stepLosses() == full.stepLosses())
    #expect(sparse.summaries[0].testLoss == full.summaries[0].testLoss)
    #expect(try #require(sparse.summaries[0].testAccuracy) > 0.8, "it learns: 0.4 is a guess")
  }

  /// A bias is added at the other end of a sum: one rounding of 2^-24 in each of some 30 steps, which
  /// this training does not blow up a hundredfold.
  @Test("with a bias in the first layer they agree to rounding")
  func closeToFull() throws {
    let folder = try TemporaryDirectory()
    let settings = SparseTrainingTests.settings()
    let sparse = try TrainedRun(yaml: SparseTrainingTests.sparse(in: folder, settings), ranks: 1)
    let full = try TrainedRun(yaml: SparseTrainingTests.full(settings), ranks: 1)
    for (a, b) in zip(try sparse.stepLosses(), try full.stepLosses()) {
      #expect(abs(a - b) < 1e-4 * b)
    }
  }

  @Test("1, 2 and 4 ranks, in one pass or two, end with the same parameters, bit for bit")
  func sameBits() throws {
    let folder = try TemporaryDirectory()
    let yaml = try SparseTrainingTests.sparse(in: folder, SparseTrainingTests.settings())
    let one = try TrainedRun(yaml: yaml, ranks: 1)
    for (ranks, passes) in [(1, 2), (2, 1), (2, 2), (4, 1)] {
      let run = try TrainedRun(
        yaml: yaml, settings: ["training.accumulate=\(passes)"], ranks: ranks)
      #expect(run.areReplicasEqual)
      #expect(run.summaries[0].parameterSha256 == one.summaries[0].parameterSha256)
      #expect(run.summaries[0].testLoss == one.summaries[0].testLoss)
      #expect(run.summaries[0].testAccuracy == one.summaries[0].testAccuracy)
      #expect(try run.stepLosses() == one.stepLosses())
    }
  }

  @Test("losses over values take signs or probabilities from the same labels")
  func signs() throws {
    let folder = try TemporaryDirectory()
    let lines = SparseTrainingTests.training.map { sample in
      "\(sample.label == 0 ? "+1" : "-1") 1:\(sample.values[0] + 0.5) 30:\(sample.label)"
    }
    let file = try folder.file("signs", lines.joined(separator: "\n"))
    for loss in ["hinge", "binary-cross-entropy", "squared-error"] {
      let run = try TrainedRun(
        yaml: """
          data: {format: libsvm, train: {file: \(file)}}
          model: [{dense: 1}]
          loss: \(loss)
          optimizer: {learning-rate: 0.1}
          training: {epochs: 5, batch-size: 32}
          """, ranks: 2)
      #expect(try #require(run.summaries[0].trainLoss) < 0.5, "\(loss)")
    }
  }

  @Test("features are counted over both files, or given")
  func features() throws {
    let folder = try TemporaryDirectory()
    let small = try folder.file("small", "0 1:1\n1 2:1\n")
    let large = try folder.file("large", "0 1:1\n1 9:1\n")
    func inspect(_ train: String, _ test: String, _ more: String = "") throws -> ModelInspection {
      let config = try folder.file(
        "c.yaml",
        """
        data: {format: libsvm, train: {file: \(train)}, test: {file: \(test)}\(more)}
        model: [{dense: 4}, {dense: 2}]
        """)
      return try ModelInspection(TrainingConfiguration(file: config), ranks: 1)
    }
    #expect(try inspect(small, large).inputShape.dimensions == [9])
    #expect(try inspect(large, small).inputShape.dimensions == [9])
    let wide = try inspect(small, large, ", features: 1000000")
    #expect(wide.inputShape.dimensions == [1_000_000])
    #expect(wide.memory.batches < 1000 && wide.memory.data == Double(2 * (2 * 8 + 3 * 8)))
    #expect(throws: DatasetError.self) { try inspect(small, large, ", features: 8") }
    let empty = try folder.file("empty", "0\n1\n")
    let error = #expect(throws: DatasetError.self) { try inspect(empty, empty) }
    #expect(
      error?.description == "data.train: no sample has a feature: set data.features")
  }

  @Test("a first layer that cannot read them is named")
  func firstLayer() throws {
    let folder = try TemporaryDirectory()
    let yaml = try SparseTrainingTests.sparse(
      in: folder, "model: [relu, {dense: 3}]")
    let failure = #expect(throws: JointFailure.self) { _ = try TrainedRun(yaml: yaml, ranks: 2) }
    #expect(failure?.exitCode == ExitStatus.usage)
    #expect(
      failure?.description
        == "layer 0 (relu): the data are sparse, and only dense reads those: make it the first layer"
    )
  }
}
