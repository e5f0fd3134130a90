import Foundation
import NN

/// The safetensors format: a little-endian length, a JSON header of that length, the tensors'
/// bytes. (https://github.com/huggingface/safetensors, README, "Format")
enum SafeTensors {
  private struct Entry: Encodable {
    var dtype = "F32"
    var shape: [Int]
    var dataOffsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype
      case shape
      case dataOffsets = "data_offsets"
    }
  }

  /// All tensors of some slabs, in the slabs' order, without padding.
  /// - Parameter metadata: texts for the header's `__metadata__`.
  static func encode(_ slabs: [Slab], metadata: [String: String]) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var fields = [
      "\"__metadata__\":" + String(decoding: try encoder.encode(metadata), as: UTF8.self)
    ]
    var offset = 0
    for tensor in slabs.flatMap(\.layout.tensors) {
      let size = tensor.shape.count * MemoryLayout<Float>.size
      let entry = Entry(shape: tensor.shape.dimensions, dataOffsets: [offset, offset + size])
      let name = String(decoding: try encoder.encode(tensor.name), as: UTF8.self)
      fields.append(name + ":" + String(decoding: try encoder.encode(entry), as: UTF8.self))
      offset += size
    }
    var header = "{" + fields.joined(separator: ",") + "}"
    header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    var data = Data(capacity: 8 + header.utf8.count + offset)
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
    data.append(contentsOf: header.utf8)
    for slab in slabs {
      for tensor in slab.layout.tensors {
        data.append(contentsOf: UnsafeRawBufferPointer(slab.elements(of: tensor)))
      }
    }
    return data
  }
}
