import Foundation
import Kernels
import NN
import TestSupport
import Testing

@testable import Training

/// Files of other programs: without digest, in every way that the format leaves open or forbids.
@Suite("a safetensors header is checked before it is believed")
struct SafeTensorsHeaderTests {
  private static func file(_ header: String, data: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
      + (0..<data).map { UInt8(truncatingIfNeeded: $0 * 37) }
  }

  private static func tensor(
    _ name: String, _ shape: String, _ offsets: String, type: String = "F32"
  ) -> String {
    #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  @Test(
    "what the format allows is read",
    arguments: [
      ("{\(tensor("a", "[2]", "[0,8]"))}", [("a", [2])]),
      // Any order of tensors and of keys, and white space anywhere.
      (
        "{\(tensor("b", "[1,1]", "[8,12]")),\(tensor("a", "[2]", "[0,8]"))}",
        [("a", [2]), ("b", [1, 1])]
      ),
      ("{ \"a\" : {\"data_offsets\":[ 0 , 4\t],\n\"shape\":[],\"dtype\":\"F32\"} }  ", [("a", [])]),
      // A tensor without elements takes no place.
      (
        "{\(tensor("b", "[0,3]", "[4,4]")),\(tensor("a", "[1]", "[0,4]"))}",
        [("a", [1]), ("b", [0, 3])]
      ),
      (
        #"{"__metadata__":{"a":"\"\\\/\b\f\n\r\té🐟"},\#(tensor("é", "[1]", "[0,4]"))}"#,
        [("é", [1])]
      ),
      (#"{"__metadata__":{}, \#(tensor(#"\u00e9\ud83d\udc1f"#, "[1]", "[0,4]"))}"#, [("é🐟", [1])]),
      ("{}", []),
    ] as [(String, [(String, [Int])])])
  func allowed(header: String, tensors: [(name: String, shape: [Int])]) throws {
    let folder = try TemporaryDirectory()
    let size = tensors.reduce(0) { $0 + 4 * $1.shape.reduce(1, *) }
    let path = try folder.file("a", Self.file(header, data: size))
    let content = try SafeTensors.read(path)
    #expect(!content.isSealed)
    #expect(content.image.tensors.map(\.name) == tensors.map(\.name))
    #expect(content.image.tensors.map(\.shape.dimensions) == tensors.map(\.shape))
    #expect(Array(content.image.bytes) == (0..<size).map { UInt8(truncatingIfNeeded: $0 * 37) })
  }

  @Test(
    "what it forbids is refused, and told",
    arguments: [
      ("", 8, "does not begin with '{'"),
      ("[]", 8, "does not begin with '{'"),
      (" {}", 0, "does not begin with '{'"),
      ("{", 0, "expected '\"' at byte 1"),
      ("{}x", 0, "expected the end at byte 2"),
      ("{}", 8, "the tensors take 0 bytes, and the file has 8"),
      ("{\(tensor("a", "[2]", "[0,8]"))}", 9, "the tensors take 8 bytes, and the file has 9"),
      ("{\(tensor("a", "[2]", "[0,8]"))}", 7, "the tensors take 8 bytes, and the file has 7"),
      ("{\(tensor("a", "[2]", "[4,12]"))}", 12, "gap before tensor 'a'"),
      (
        "{\(tensor("a", "[1]", "[0,4]")),\(tensor("b", "[1]", "[8,12]"))}", 12,
        "gap before tensor 'b'"
      ),
      ("{\(tensor("a", "[2]", "[0,8]")),\(tensor("b", "[2]", "[4,12]"))}", 12, "'b' overlaps"),
      ("{\(tensor("a", "[2]", "[0,8]")),\(tensor("b", "[2]", "[0,8]"))}", 8, "'b' overlaps"),
      ("{\(tensor("a", "[1]", "[0,4]")),\(tensor("a", "[1]", "[4,8]"))}", 8, "'a' is there twice"),
      ("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "'__metadata__' is there twice"),
      (#"{"__metadata__":{"k":"1","k":"2"}}"#, 0, "'k' is there twice"),
      (#"{"__metadata__":{"k":1}}"#, 0, "expected '\"'"),
      (#"{"__metadata__":[]}"#, 0, "expected '{'"),
      ("{\(tensor("a", "[3]", "[0,8]"))}", 8, "of shape [3] takes 12 bytes"),
      ("{\(tensor("a", "[2]", "[8,0]"))}", 8, "data_offsets are [8, 0]"),
      ("{\(tensor("a", "[2]", "[0,4,8]"))}", 8, "data_offsets are [0, 4, 8]"),
      ("{\(tensor("a", "[2]", "[]"))}", 8, "data_offsets are []"),
      ("{\(tensor("a", "[1]", "[0,4]", type: "BF16"))}", 4, "the type BF16"),
      ("{\(tensor("a", "[4294967296,4294967296]", "[0,8]"))}", 8, "more bytes than there can be"),
      ("{\(tensor("a", "[4294967296,4294967296,0]", "[0,0]"))}", 0, "more bytes than there can be"),
      ("{\(tensor("a", "[9223372036854775808]", "[0,8]"))}", 8, "a number is too large"),
      ("{\(tensor("a", "[-2]", "[0,8]"))}", 8, "expected a natural number"),
      ("{\(tensor("a", "[2.0]", "[0,8]"))}", 8, "expected ','"),
      ("{\(tensor("a", "[2e0]", "[0,8]"))}", 8, "expected ','"),
      ("{\(tensor("a", "[02]", "[0,8]"))}", 8, "expected a natural number"),
      ("{\(tensor("a", "[\"2\"]", "[0,8]"))}", 8, "expected a natural number"),
      ("{\(tensor("a", "[2,]", "[0,8]"))}", 8, "expected a natural number"),
      ("{\(tensor("a", "2", "[0,8]"))}", 8, "expected '['"),
      (#"{"a":{"dtype":"F32","shape":[2]}}"#, 8, "lacks its dtype, its shape or its data_offsets"),
      (#"{"a":{"dtype":"F32","dtype":"F32"}}"#, 8, "'dtype' is there twice"),
      (#"{"a":{"more":1}}"#, 8, "has 'more', which the format does not know"),
      (#"{"a":null}"#, 8, "expected '{'"),
      (#"{"a"#, 8, "a text has no end"),
      (#"{"a\"#, 8, "a text has no end"),
      (#"{"\x":{}}"#, 8, "an escape that JSON does not know"),
      (#"{"\u12g4":{}}"#, 8, "an escape that JSON does not know"),
      (#"{"\ud83d":{}}"#, 8, "an escape that JSON does not know"),
      (#"{"\ud83d\u0041":{}}"#, 8, "an escape that JSON does not know"),
      (#"{"\udc1f":{}}"#, 8, "an escape that JSON does not know"),
      ("{\"a\n\":{}}", 8, "a control character"),
      (String(repeating: #"{"__metadata__":"#, count: 10_000), 8, "expected '\"'"),
    ] as [(String, Int, String)])
  func forbidden(header: String, data: Int, reason: String) throws {
    let folder = try TemporaryDirectory()
    let path = try folder.file("a", Self.file(header, data: data))
    let fault = #expect(throws: TensorFileFault.self) { try SafeTensors.read(path) }
    #expect(fault?.kind == .damaged)
    #expect(fault?.description.contains(reason) == true, "\(String(describing: fault))")
  }

  @Test(
    "texts that are not UTF-8 are refused",
    arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80]] as [[UInt8]])
  func notUTF8(text: [UInt8]) throws {
    let folder = try TemporaryDirectory()
    var bytes = Self.file(String(repeating: " ", count: text.count + 6), data: 0)
    bytes.replaceSubrange(8..., with: Array("{\"".utf8) + text + Array("\":{}".utf8))
    let path = try folder.file("a", bytes)
    let fault = #expect(throws: TensorFileFault.self) { try SafeTensors.read(path) }
    #expect(fault?.description.contains("not UTF-8") == true)
  }

  @Test(
    "a length that the file cannot have is refused before anything is allocated",
    arguments: [17, 1 << 32, 1 << 62, 1 << 63, UInt64.max] as [UInt64])
  func length(length: UInt64) throws {
    let folder = try TemporaryDirectory()
    let bytes =
      withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("{}              ".utf8)
    let path = try folder.file("a", bytes)
    let fault = #expect(throws: TensorFileFault.self) { try SafeTensors.read(path) }
    #expect(fault?.description.contains("its header cannot have \(length) bytes") == true)
  }

  @Test("a file with a hole that is larger than the memory is refused")
  func sparse() throws {
    let folder = try TemporaryDirectory()
    let count = InputFile.memoryCount / 4 + 1
    let header = "{\(Self.tensor("a", "[\(count)]", "[0,\(4 * count)]"))}"
    let path = try folder.file("a", Self.file(header, data: 0))
    // Some file systems have no room for such files: then there is nothing to refuse.
    guard truncate(path, 8 + header.utf8.count + 4 * count) == 0 else { return }
    let fault = #expect(throws: TensorFileFault.self) { try SafeTensors.read(path) }
    #expect(fault?.kind == .unreadable)
  }

  @Test(
    "5,000 random edits of headers open consistently or are refused",
    arguments: [1, 2, 3, 4, 5] as [UInt64])
  func random(seed: UInt64) throws {
    let header =
      #"{"__metadata__":{"k":"\u00e9"},\#(Self.tensor("a", "[2]", "[0,8]")),"#
      + "\(Self.tensor("b", "[1,1]", "[8,12]"))}"
    let stream = RandomStream(seed: seed, purpose: .shuffle, instance: 1)
    var opened = 0
    for number in 0..<1000 {
      var bytes = Array(header.utf8)
      for edit in 0...number % 2 {
        let words = stream.block(UInt64(2 * number + edit))
        let position = Int(words.x) % bytes.count
        // Half of the bytes are such as mean something there.
        let byte =
          words.y % 2 == 0 ? bytes[Int(words.w) % bytes.count] : UInt8(truncatingIfNeeded: words.w)
        switch words.z % 3 {
        case 0: bytes[position] = byte
        case 1: bytes.insert(byte, at: position)
        default: bytes.remove(at: position)
        }
      }
      if let header = try? SafeTensorsHeader(parsing: bytes, dataCount: 12) {
        var end = 0
        for tensor in header.tensors {
          #expect(tensor.bytes == end..<end + 4 * tensor.shape.count)
          end = tensor.bytes.upperBound
        }
        #expect(end == 12)
        opened += 1
      }
    }
    // Some are harmless: else the test would only see the first check.
    #expect(opened > 5 && opened < 995)
  }
}
