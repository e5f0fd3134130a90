import Foundation
import TestSupport
import Testing

@testable import NN
@testable import Training

@Suite("a checkpoint's file")
struct CheckpointTests {
  @Test("gives back the record and every bit of every tensor")
  func roundTrip() throws {
    let folder = try TemporaryDirectory()
    let fixture = CheckpointFixture(seed: 1)
    // Numbers that arithmetic would not keep.
    let odd: [Float] = [.nan, -.nan, -0.0, .infinity, .leastNonzeroMagnitude]
    for (i, value) in odd.enumerated() { fixture.groups[0].slab.base[i] = value }
    let path = try folder.file("a", try fixture.bytes(step: 7))
    let checkpoint = try Checkpoint(contentsOf: path)
    #expect(checkpoint.record == fixture.record(step: 7))
    #expect(
      checkpoint.image.tensors.map(\.name) == [
        "0.dense.weight", "odd \"name\"\\/é", "1.batch-norm.mean",
        "optimizer.velocity.0.dense.weight", "optimizer.velocity.odd \"name\"\\/é",
      ])
    let other = CheckpointFixture(seed: 2)
    try checkpoint.restore(other.groups, path: path)
    let bits = { (fixture: CheckpointFixture) in fixture.values.map { $0.map(\.bitPattern) } }
    #expect(bits(other) == bits(fixture))
  }

  @Test("is the same, byte for byte, for the same state")
  func deterministic() throws {
    #expect(
      try CheckpointFixture(seed: 3).bytes(step: 5) == CheckpointFixture(seed: 3).bytes(step: 5))
  }
}
