import Foundation
import Kernels
import TestSupport
import Testing

@testable import Training

/// A trap would end the test run: what is left is to look at the errors.
@Suite("a damaged checkpoint is never read as a good one")
struct CheckpointDamageTests {
  private func expectDamaged(_ path: String, _ what: String) {
    do {
      _ = try Checkpoint(contentsOf: path)
      Issue.record("\(what) was not seen")
    } catch let fault as TensorFileFault {
      #expect(fault.kind == .damaged, "\(what): \(fault)")
    } catch {
      Issue.record("\(what): \(error)")
    }
  }

  @Test("every single bit is looked at")
  func everyBit() throws {
    let folder = try TemporaryDirectory()
    let bytes = try CheckpointFixture(seed: 1).bytes(step: 7)
    let path = try folder.file("a", bytes)
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    func put(_ byte: UInt8, at position: Int) throws {
      try file.seek(toOffset: UInt64(position))
      try file.write(contentsOf: [byte])
    }
    for (position, byte) in bytes.enumerated() {
      for bit in 0..<8 {
        try put(byte ^ 1 << UInt8(bit), at: position)
        expectDamaged(path, "bit \(bit) of byte \(position)")
      }
      try put(byte, at: position)
    }
    _ = try Checkpoint(contentsOf: path)
  }

  @Test("every shorter file is")
  func everyLength() throws {
    let folder = try TemporaryDirectory()
    let bytes = try CheckpointFixture(seed: 1).bytes(step: 7)
    for length in 0..<bytes.count {
      let path = try folder.file("a", Array(bytes[..<length]))
      expectDamaged(path, "the end at byte \(length)")
    }
  }

  @Test("1,000 random damages of 1 to 3 edits each", arguments: [1, 2] as [UInt64])
  func random(seed: UInt64) throws {
    let folder = try TemporaryDirectory()
    let original = try CheckpointFixture(seed: 1).bytes(step: 7)
    let other = try CheckpointFixture(seed: 2).bytes(step: 8)
    let stream = RandomStream(seed: seed, purpose: .shuffle, instance: 0)
    for number in 0..<500 {
      var bytes = original
      for edit in 0...number % 3 {
        damage(&bytes, with: other, stream.block(UInt64(3 * number + edit)))
      }
      // Two edits can undo each other, and a splice can be the other file as a whole.
      guard bytes != original, bytes != other else { continue }
      expectDamaged(try folder.file("a", bytes), "case \(number) of seed \(seed)")
    }
  }

  /// One edit: a bit flipped, a byte replaced in the header, a byte removed, one put in, a part
  /// zeroed, the end cut off, the end of another checkpoint in the place of this one's.
  private func damage(_ bytes: inout [UInt8], with other: [UInt8], _ words: SIMD4<UInt32>) {
    guard !bytes.isEmpty else { return }
    let position = Int(words.x) % bytes.count
    let byte = UInt8(truncatingIfNeeded: words.y)
    switch words.z % 7 {
    case 0: bytes[position] ^= 1 << (byte % 8)
    case 1: bytes[position % min(bytes.count, 1000)] = byte
    case 2: bytes.remove(at: position)
    case 3: bytes.insert(byte, at: position)
    case 4:
      let end = min(bytes.count, position + Int(byte))
      bytes.replaceSubrange(position..<end, with: [UInt8](repeating: 0, count: end - position))
    case 5: bytes.removeLast(Int(words.w) % bytes.count)
    default: bytes = Array(bytes[..<position] + other[min(position, other.count)...])
    }
  }

  @Test("with the header of another checkpoint of the same model")
  func spliced() throws {
    let folder = try TemporaryDirectory()
    let first = CheckpointFixture(seed: 1).checkpoint(step: 7)
    let second = CheckpointFixture(seed: 2).checkpoint(step: 7)
    let path = try folder.file("a", try first.header() + Array(second.image.bytes))
    expectDamaged(path, "the other's data")
    let noDigest = try first.header() + Array(first.image.bytes)
    let text = String(decoding: noDigest[8..<40], as: UTF8.self)
    #expect(text.contains("sha256"))
    var renamed = noDigest
    renamed[8 + 19] = UInt8(ascii: "S")
    expectDamaged(try folder.file("a", renamed), "a digest of another name")
  }
}
