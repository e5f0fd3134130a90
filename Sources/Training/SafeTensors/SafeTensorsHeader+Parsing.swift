import NN

extension SafeTensorsHeader {
  /// The format's own limit, in bytes.
  static let largestCount = 100_000_000

  /// Takes a header apart and believes nothing of it: tensors must be floats and fill the data
  /// without gaps and overlaps.
  /// - Parameter dataCount: bytes that the file has behind the header.
  init(parsing bytes: [UInt8], dataCount: Int) throws(HeaderScanner.Fault) {
    guard bytes.first == UInt8(ascii: "{") else {
      throw HeaderScanner.Fault(reason: "the header does not begin with '{'")
    }
    var scanner = HeaderScanner(bytes)
    var metadata: [String: String] = [:]
    var tensors: [Tensor] = []
    try scanner.object { (scanner, name) throws(HeaderScanner.Fault) in
      if name == "__metadata__" {
        try scanner.object { (scanner, key) throws(HeaderScanner.Fault) in
          metadata[key] = try scanner.string()
        }
      } else {
        tensors.append(try Tensor(name: name, scanning: &scanner))
      }
    }
    try scanner.end()
    // Empty tensors have no place of their own: they go before what begins where they are.
    tensors.sort {
      ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
    }
    var end = 0
    for tensor in tensors {
      guard tensor.bytes.lowerBound == end else {
        throw HeaderScanner.Fault(
          reason: tensor.bytes.lowerBound < end
            ? "tensor '\(tensor.name)' overlaps the one before it"
            : "there is a gap before tensor '\(tensor.name)'")
      }
      end = tensor.bytes.upperBound
    }
    guard end == dataCount else {
      throw HeaderScanner.Fault(
        reason: "the tensors take \(end) bytes, and the file has \(dataCount) for them")
    }
    metadata["sha256"] = nil
    self.init(tensors: tensors, metadata: metadata)
  }
}

extension SafeTensorsHeader.Tensor {
  fileprivate init(name: String, scanning scanner: inout HeaderScanner) throws(HeaderScanner.Fault)
  {
    func fault(_ reason: String) -> HeaderScanner.Fault {
      HeaderScanner.Fault(reason: "tensor '\(name)' \(reason)")
    }
    var (type, extents, offsets): (String?, [Int]?, [Int]?)
    try scanner.object { (scanner, key) throws(HeaderScanner.Fault) in
      switch key {
      case "dtype": type = try scanner.string()
      case "shape": extents = try scanner.numbers()
      case "data_offsets": offsets = try scanner.numbers()
      default: throw fault("has '\(key)', which the format does not know")
      }
    }
    guard let type, let extents, let offsets else {
      throw fault("lacks its dtype, its shape or its data_offsets")
    }
    guard type == "F32" else { throw fault("has the type \(type): only F32 can be read") }
    var size = MemoryLayout<Float>.size
    for extent in extents {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw fault("has a shape of more bytes than there can be") }
      size = product
    }
    guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] - offsets[0] == size else {
      throw fault("of shape \(extents) takes \(size) bytes, and its data_offsets are \(offsets)")
    }
    self.init(name: name, shape: Shape(extents), bytes: offsets[0]..<offsets[1])
  }
}
