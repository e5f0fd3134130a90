import Foundation
import Testing
import TestSupport

@testable import NN
@testable import Training

@Suite("the hash of the parameters")
struct ParameterHashTests {
  @Test("it is SHA-256 of the tensors' bytes in order")
  func known() {
    // Python: hashlib.sha256(struct.pack('<7f', 1, 2, 3, .5, -1, 0, 4)).hexdigest()
    #expect(
      ParameterHash([SlabFixture.slab()]).hexadecimal
        == "37e47cc2f127aaa45a24fe1290b26111454ca14c0cf6aa84cc8d19678214e5ad")
  }

  @Test("it is what sha256sum makes of the data part of a safetensors file")
  func ofFile() throws {
    let slab = SlabFixture.slab()
    let encoded = [UInt8](try SafeTensors.encode([slab], metadata: [:]))
    let folder = try TemporaryDirectory()
    let path = try folder.file("data", Array(encoded.suffix(28)))
    let result = try Command(["sha256sum", path]).run()
    try #require(result.status == 0)
    #expect(result.output.prefix(64) == ParameterHash([slab]).hexadecimal)
  }

  @Test("every bit counts, the sign of zero too; padding and tail do not")
  func bits() {
    let hash = ParameterHash([SlabFixture.slab()])
    for i in SlabFixture.values.indices {
      var values = SlabFixture.values
      values[i] = Float(bitPattern: values[i].bitPattern ^ 1)
      #expect(ParameterHash([SlabFixture.slab(values)]) != hash)
    }
    #expect(ParameterHash([SlabFixture.slab([1, 2, 3, 0.5, -1, -0.0, 4])]) != hash)
    let other = SlabFixture.slab()
    other.tail[0] = 5
    other.tensors[3] = 7
    #expect(ParameterHash([other]) == hash)
  }

  @Test("the odd ones are those that differ from most, and from the first half of two halves")
  func odd() {
    let (a, b, c): ([UInt8], [UInt8], [UInt8]) = ([1], [2], [3])
    #expect(World.odd(among: []) == [])
    #expect(World.odd(among: [a]) == [])
    #expect(World.odd(among: [a, a, a]) == [])
    #expect(World.odd(among: [a, b, a]) == [1])
    #expect(World.odd(among: [b, a, a, a]) == [0])
    #expect(World.odd(among: [a, b, c, b]) == [0, 2])
    #expect(World.odd(among: [a, b]) == [1])
    #expect(World.odd(among: [b, a, a, b]) == [1, 2])
  }
}
