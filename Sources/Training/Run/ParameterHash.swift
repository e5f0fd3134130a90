import CCrypto
import NN

/// SHA-256 over the bytes of all tensors of some slabs, in order, without padding: equal if and only
/// if the tensors are, bit for bit.
struct ParameterHash: Equatable {
  let bytes: [UInt8]

  init(_ slabs: [Slab]) {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    var succeeded = EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
    for slab in slabs {
      for tensor in slab.layout.tensors {
        let bytes = UnsafeRawBufferPointer(slab.elements(of: tensor))
        succeeded = succeeded && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
      }
    }
    succeeded = succeeded && EVP_DigestFinal_ex(context, &digest, &length) == 1
    precondition(succeeded, "OpenSSL's SHA-256 failed")
    bytes = Array(digest.prefix(Int(length)))
  }

  /// 64 digits.
  var hexadecimal: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
