import NN

/// SHA-256 over the bytes of all tensors of some slabs, in order, without padding: equal if and only
/// if the tensors are, bit for bit.
struct ParameterHash: Equatable {
  let bytes: [UInt8]

  init(_ slabs: [Slab]) {
    let hash = SHA256()
    for slab in slabs {
      for tensor in slab.layout.tensors {
        hash.add(UnsafeRawBufferPointer(slab.elements(of: tensor)))
      }
    }
    bytes = hash.finish()
  }

  /// 64 digits.
  var hexadecimal: String { SHA256.hexadecimal(bytes) }
}
