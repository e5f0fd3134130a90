import Kernels

/// One contiguous, 64-byte aligned buffer that holds all parameters, all gradients, or one
/// optimizer state; layers are offsets into it. Padding is zero and stays zero.
///
///     | tensor 0 | pad | tensor 1 | ... | tensor n | pad | tail |
///
/// A slab of gradients may have several such planes, one behind the other: where a rank's sums wait
/// until they are added up.
public final class Slab {
  public let layout: SlabLayout
  /// Elements behind the tensors, for values that travel with them.
  public let tailCount: Int
  /// Tensors and tail of the first plane.
  public let all: UnsafeMutableBufferPointer<Float>
  public let planeCount: Int
  /// The memory, if it is the slab's own.
  private let memory: AlignedBuffer?

  public init(_ layout: SlabLayout, tail tailCount: Int = 0) {
    self.layout = layout
    self.tailCount = tailCount
    let memory = AlignedBuffer(count: layout.count + tailCount)
    self.memory = memory
    all = memory.elements
    planeCount = 1
  }

  /// A slab in memory that somebody else owns, such as that which the ranks of a node share.
  /// - Parameters:
  ///   - memory: zero, 64-byte aligned; what `layout` does not need of a plane is its tail.
  ///   - planes: as many parts of it, each of whole cache lines.
  public init(
    _ layout: SlabLayout, in memory: UnsafeMutableBufferPointer<Float>, planes: Int = 1
  ) {
    let stride = memory.count / planes
    precondition(stride * planes == memory.count && stride >= layout.count)
    precondition(Int(bitPattern: memory.baseAddress) % AlignedBuffer.alignment == 0)
    precondition(planes == 1 || stride % SlabLayout.alignment == 0)
    self.layout = layout
    self.memory = nil
    tailCount = stride - layout.count
    all = UnsafeMutableBufferPointer(rebasing: memory[..<stride])
    planeCount = planes
  }

  public var base: UnsafeMutablePointer<Float> { all.baseAddress! }

  /// All tensors, padding included.
  public var tensors: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: base, count: layout.count)
  }

  /// Elements from one plane to the next.
  public var planeStride: Int { all.count }

  /// Tensors and tail of a plane.
  public func plane(_ number: Int) -> UnsafeMutableBufferPointer<Float> {
    precondition((0..<planeCount).contains(number))
    return UnsafeMutableBufferPointer(start: base + number * planeStride, count: planeStride)
  }

  /// What lies behind the tensors.
  public var tail: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: base + layout.count, count: tailCount)
  }

  /// One tensor's elements.
  public func elements(of tensor: SlabLayout.Tensor) -> UnsafeMutableBufferPointer<Float> {
    elements(in: tensor.range)
  }

  /// The elements of a range of the tensors.
  func elements(in range: Range<Int>) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(rebasing: tensors[range])
  }
}
