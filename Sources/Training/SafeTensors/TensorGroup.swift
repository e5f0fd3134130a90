import NN

/// Tensors that a file keeps under a common prefix.
package struct TensorGroup {
  /// Such as `optimizer.velocity.`; empty for parameters.
  package var prefix: String
  package var slab: Slab

  package init(prefix: String = "", _ slab: Slab) {
    self.prefix = prefix
    self.slab = slab
  }
}

/// Named tensors in one buffer, without padding: the data part of a safetensors file.
final class TensorImage {
  let tensors: [SafeTensorsHeader.Tensor]
  let bytes: UnsafeMutableRawBufferPointer

  /// Memory for tensors; it is zero.
  init(_ tensors: [SafeTensorsHeader.Tensor]) {
    self.tensors = tensors
    let count = tensors.last?.bytes.upperBound ?? 0
    bytes = .allocate(byteCount: count, alignment: 64)
    // Memory that has been written to is there: the first capture is as fast as the others.
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// Memory for the tensors of `groups`, in their order.
  convenience init(for groups: [TensorGroup]) {
    let names = groups.flatMap { group in
      group.slab.layout.tensors.map { (name: group.prefix + $0.name, shape: $0.shape) }
    }
    self.init(SafeTensorsHeader(names, metadata: [:]).tensors)
  }

  deinit { bytes.deallocate() }

  /// Copies the tensors' values.
  /// - Precondition: the image was made for groups of the same layouts.
  func capture(_ groups: [TensorGroup]) {
    var offset = 0
    for group in groups {
      for tensor in group.slab.layout.tensors {
        let values = UnsafeRawBufferPointer(group.slab.elements(of: tensor))
        UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + values.count])
          .copyMemory(from: values)
        offset += values.count
      }
    }
    precondition(offset == bytes.count, "the image was made for other tensors")
  }

  /// The values of `tensor`.
  func values(of tensor: SafeTensorsHeader.Tensor) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[tensor.bytes])
  }

  /// Copies the values into `groups`, or changes nothing if names or shapes are not the same.
  /// - Returns: what is not the same, in words; nil if all was copied.
  func restore(_ groups: [TensorGroup]) -> String? {
    let found = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    var copies: [(from: UnsafeRawBufferPointer, to: UnsafeMutableBufferPointer<Float>)] = []
    for group in groups {
      for tensor in group.slab.layout.tensors {
        let name = group.prefix + tensor.name
        guard let source = found[name] else { return "has no tensor '\(name)'" }
        guard source.shape == tensor.shape else {
          return "has '\(name)' in shape \(source.shape), and \(tensor.shape) is needed"
        }
        copies.append((values(of: source), group.slab.elements(of: tensor)))
      }
    }
    guard copies.count == tensors.count else {
      let known = Set(groups.flatMap { g in g.slab.layout.tensors.map { g.prefix + $0.name } })
      return "has tensors that are not needed, such as "
        + "'\(tensors.first { !known.contains($0.name) }?.name ?? "")'"
    }
    for (source, target) in copies {
      UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
    }
    return nil
  }
}
