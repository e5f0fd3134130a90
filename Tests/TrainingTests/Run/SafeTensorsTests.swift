import Foundation
import Testing

@testable import NN
@testable import Training

@Suite("safetensors files")
struct SafeTensorsTests {
  /// Takes a file apart as the format's description says.
  private func parse(_ data: Data) throws -> (header: [String: Any], data: [UInt8]) {
    let bytes = [UInt8](data)
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(length % 8 == 0)
    let header = try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length]))
    #expect(bytes[8] == UInt8(ascii: "{"))
    return (try #require(header as? [String: Any]), Array(bytes[(8 + length)...]))
  }

  @Test("names, shapes, offsets and bytes are those of the slab, without its padding")
  func content() throws {
    let slab = SlabFixture.slab()
    let encoded = try SafeTensors.encode([slab], metadata: ["a": "b\"c", "version": "1"])
    let (header, data) = try parse(encoded)
    var texts = try #require(header["__metadata__"] as? [String: String])
    #expect(texts.removeValue(forKey: "sha256")?.count == 64)
    #expect(texts == ["a": "b\"c", "version": "1"])
    #expect(Set(header.keys) == Set(["__metadata__"] + slab.layout.tensors.map(\.name)))
    var end = 0
    for tensor in slab.layout.tensors {
      let entry = try #require(header[tensor.name] as? [String: Any])
      #expect(Set(entry.keys) == ["dtype", "shape", "data_offsets"])
      #expect(entry["dtype"] as? String == "F32")
      #expect(entry["shape"] as? [Int] == tensor.shape.dimensions)
      let offsets = try #require(entry["data_offsets"] as? [Int])
      #expect(offsets == [end, end + 4 * tensor.shape.count])
      let found = data[offsets[0]..<offsets[1]]
      #expect(Array(found) == Array(UnsafeRawBufferPointer(slab.elements(of: tensor))))
      end = offsets[1]
    }
    #expect(data.count == end)
    #expect(end == 28)
  }

  @Test("the header's length is a multiple of eight, whatever is in it", arguments: 0..<9)
  func alignment(extra: Int) throws {
    let text = String(repeating: "x", count: extra)
    let (header, data) = try parse(
      try SafeTensors.encode([SlabFixture.slab()], metadata: ["a": text]))
    #expect((header["__metadata__"] as? [String: String])?["a"] == text)
    #expect(data.count == 28)
  }
}
