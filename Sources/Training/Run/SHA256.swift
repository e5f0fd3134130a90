import CCrypto

/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
final class SHA256 {
  static let byteCount = 32

  private let context: OpaquePointer

  init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      preconditionFailure("OpenSSL's SHA-256 does not start")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  func add(_ bytes: UnsafeRawBufferPointer) {
    let succeeded = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
    precondition(succeeded, "OpenSSL's SHA-256 failed")
  }

  /// The digest of all that was added; nothing can be added any more.
  func finish() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: SHA256.byteCount)
    let succeeded = EVP_DigestFinal_ex(context, &digest, nil) == 1
    precondition(succeeded, "OpenSSL's SHA-256 failed")
    return digest
  }

  /// 64 lowercase digits.
  static func hexadecimal(_ digest: [UInt8]) -> String {
    digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
