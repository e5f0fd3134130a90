import Testing

@testable import Datasets

@Suite("samples written out in the configuration")
struct InlineDatasetTests {
  @Test("labels and features come back as they were given")
  func labels() throws {
    let dataset = try InlineDataset(
      name: "data.train", features: [[1, 2], [3, 4], [5, -6.5]], labels: [2, 0, 4])
    #expect(dataset.count == 3)
    #expect(dataset.featureExtents == [2])
    #expect(dataset.targets == .labels(classes: 5))
    #expect((0..<3).map { dataset.label(of: $0) } == [2, 0, 4])
    #expect(dataset.features(of: 2) == [5, -6.5])
  }

  @Test("target values come back as they were given")
  func values() throws {
    let dataset = try InlineDataset(
      name: "data.train", features: [[1], [3]], values: [[2, 3], [4, 5]])
    #expect(dataset.targets == .values(width: 2))
    #expect(dataset.targetValues(of: 0) == [2, 3])
    #expect(dataset.targetValues(of: 1) == [4, 5])
  }

  @Test("every fault is an error that names the data and the sample")
  func faults() {
    func reason(_ body: () throws -> InlineDataset) -> String {
      let error = #expect(throws: DatasetError.self) { _ = try body() }
      #expect(error?.kind == .malformed)
      #expect(error?.source == "here")
      return error?.reason ?? ""
    }
    #expect(
      reason { try InlineDataset(name: "here", features: [], labels: []) }
        == "there are no samples in it")
    #expect(
      reason { try InlineDataset(name: "here", features: [[1]], labels: [0, 1]) }
        == "2 targets for 1 sample of features")
    #expect(
      reason { try InlineDataset(name: "here", features: [[1], [1, 2]], labels: [0, 1]) }
        == "sample 1 has 2 numbers, sample 0 has 1")
    #expect(
      reason { try InlineDataset(name: "here", features: [[], []], labels: [0, 1]) }
        == "sample 0 has no numbers")
    #expect(
      reason { try InlineDataset(name: "here", features: [[1], [2]], labels: [0, -1]) }
        == "the label of sample 1 is not a natural number")
    #expect(
      reason { try InlineDataset(name: "here", features: [[1], [2]], values: [[1], []]) }
        == "sample 1 has no numbers")
    #expect(
      reason { try InlineDataset(name: "here", features: [[1], [2]], values: [[1], [2, 3]]) }
        == "sample 1 has 2 numbers, sample 0 has 1")
  }
}
