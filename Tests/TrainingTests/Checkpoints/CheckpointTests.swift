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

  @Test("has the digest that it would have with zeros in the digest's place")
  func digest() throws {
    let folder = try TemporaryDirectory()
    var bytes = try CheckpointFixture().bytes(step: 5)
    let digits = String(decoding: bytes[SafeTensorsHeader.digits], as: UTF8.self)
    for i in SafeTensorsHeader.digits { bytes[i] = UInt8(ascii: "0") }
    let zeroed = try folder.file("zeroed", bytes)
    let sum = try Command(["sha256sum", zeroed]).run()
    #expect(sum.output.hasPrefix(digits + " "))
  }

  /// Nil if Python can read safetensors here, else why not.
  private static let pythonObstacle: String? = {
    let result = try? Command([python, "-c", "import safetensors, numpy"]).run()
    return result?.status == 0 ? nil : result?.errors ?? "no Python"
  }()

  private static let python = ProcessInfo.processInfo.environment["PYTHON"] ?? "python3"

  @Test(
    "is read by Python's safetensors",
    .enabled(if: pythonObstacle == nil, "PYTHON has no safetensors: \(pythonObstacle ?? "")"))
  func python() throws {
    let folder = try TemporaryDirectory()
    let fixture = CheckpointFixture(seed: 4)
    let path = try folder.file("a.safetensors", try fixture.bytes(step: 7))
    let script = """
      import json, sys
      from safetensors import safe_open
      with safe_open(sys.argv[1], "np") as file:
        record = json.loads(file.metadata()["record"])
        print(record["step"], record["position-in-epoch"], len(file.metadata()["sha256"]))
        for name in sorted(file.keys()):
          tensor = file.get_tensor(name)
          print(name, tensor.dtype, list(tensor.shape), int(tensor.view("uint32").sum()))
      """
    let result = try Command([Self.python, "-c", script, path]).run()
    #expect(result.status == 0, "\(result.errors)")
    let tensors = fixture.groups.flatMap { group in
      group.slab.layout.tensors.map { tensor in
        let sum = group.slab.elements(of: tensor).reduce(0) { $0 + Int($1.bitPattern) }
        return "\(group.prefix)\(tensor.name) float32 \(tensor.shape.dimensions) \(sum)"
      }
    }
    let expected = ["7 7 64"] + tensors.sorted()
    #expect(result.output == expected.joined(separator: "\n") + "\n")
  }

  @Test("is refused by a model or an optimizer of other tensors, which then stay as they were")
  func unsuitable() throws {
    let checkpoint = CheckpointFixture(seed: 1).checkpoint(step: 1)
    func refusal(_ groups: [TensorGroup]) -> String? {
      let before = groups.map { Array($0.slab.all) }
      let fault = #expect(throws: TensorFileFault.self) {
        try checkpoint.restore(groups, path: "file")
      }
      #expect(groups.map { Array($0.slab.all) } == before)
      #expect(fault?.kind == .unsuitable)
      return fault?.description
    }
    let groups = CheckpointFixture(seed: 2).groups
    #expect(
      refusal(Array(groups.dropLast()))?.hasPrefix(
        "file: has tensors that are not needed, such as 'optimizer.velocity.0.dense.weight'")
        == true)
    #expect(
      refusal(groups + [TensorGroup(prefix: "more.", groups[0].slab)])?.hasPrefix(
        "file: has no tensor 'more.0.dense.weight'") == true)
    #expect(
      refusal(CheckpointFixture(extent: 4).groups)?.hasPrefix(
        "file: has '0.dense.weight' in shape 3x5, and 4x5 is needed") == true)
  }

  @Test("where there is none, or something else, this is said, with the exit code that fits")
  func otherFiles() throws {
    let folder = try TemporaryDirectory()
    func exitCode(_ path: String) -> Int32? {
      #expect(throws: TensorFileFault.self) { try Checkpoint(contentsOf: path) }.map {
        ExitStatus.of($0)
      }
    }
    #expect(exitCode(folder.path + "/none") == ExitStatus.missingInput)
    #expect(exitCode(folder.path + "/none/none") == ExitStatus.missingInput)
    #expect(exitCode(folder.path) == ExitStatus.inputOutput)
    #expect(exitCode("/dev/zero") == ExitStatus.inputOutput)
    #expect(exitCode(try folder.file("empty", "")) == ExitStatus.badData)
    #expect(exitCode(try folder.file("text", "training: {}\nmodel: []")) == ExitStatus.badData)

    let slab = CheckpointFixture().groups[0].slab
    for metadata in [
      ["format": "lockstep"], ["format": "lockstep-checkpoint-2", "record": "{}"],
      ["format": Checkpoint.format, "record": #"{"step":"one"}"#],
    ] {
      let path = try folder.file("other", [UInt8](SafeTensors.encode([slab], metadata: metadata)))
      let fault = #expect(throws: TensorFileFault.self) { try Checkpoint(contentsOf: path) }
      #expect(fault?.kind == .unsuitable)
    }
  }
}
