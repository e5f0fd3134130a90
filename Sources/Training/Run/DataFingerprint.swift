import Datasets

/// Tells data sets apart by what is in them, wherever their files lie: on other hosts, and when a run
/// goes on later.
struct DataFingerprint {
  /// 64 digits: SHA-256 over number, shape and content of the samples.
  let hash: String

  /// Content up to this many bytes is hashed as a whole, in less than 0.1 s; of more, evenly spread
  /// blocks of so many bytes in all.
  static let byteLimit = 64 << 20
  static let blockSize = 64 << 10

  init(_ dataset: any Dataset, byteLimit: Int = byteLimit, blockSize: Int = blockSize) {
    let hash = SHA256()
    let shape = "\(dataset.count) \(dataset.featureExtents) \(dataset.targets)"
    Array(shape.utf8).withUnsafeBytes { hash.add($0) }
    // One after the other: a piece's length is part of what tells it apart.
    var digests: [UInt8] = []
    dataset.withContent { piece in
      digests += DataFingerprint.digest(of: piece, byteLimit: byteLimit, blockSize: blockSize)
    }
    digests.withUnsafeBytes { hash.add($0) }
    self.hash = SHA256.hexadecimal(hash.finish())
  }

  private static func digest(
    of piece: UnsafeRawBufferPointer, byteLimit: Int, blockSize: Int
  ) -> [UInt8] {
    let hash = SHA256()
    withUnsafeBytes(of: UInt64(piece.count).littleEndian) { hash.add($0) }
    if piece.count <= byteLimit {
      hash.add(piece)
    } else {
      // The first block begins with the first byte, the last one ends with the last.
      let blocks = max(2, byteLimit / blockSize)
      for block in 0..<blocks {
        let start = (piece.count - blockSize) * block / (blocks - 1)
        hash.add(UnsafeRawBufferPointer(rebasing: piece[start..<start + blockSize]))
      }
    }
    return hash.finish()
  }
}

/// What a run learns from and what it is held against, by content.
public struct DataIdentity: Equatable, Codable, Sendable, CustomStringConvertible {
  /// 64 digits.
  public var training: String
  public var test: String?

  init(training: any Dataset, test: (any Dataset)?) {
    self.training = DataFingerprint(training).hash
    self.test = test.map { DataFingerprint($0).hash }
  }

  public var description: String { "\(training) \(test ?? "none")" }
}
