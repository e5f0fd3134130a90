/// Planes of memory, in elements from where a sum over undivided rows would go.
public struct SumPlanes: Equatable, Sendable {
  /// To the first plane.
  public var offset: Int
  /// From one plane to the next.
  public var stride: Int

  public init(offset: Int = 0, stride: Int) {
    self.offset = offset
    self.stride = stride
  }

  /// To a plane.
  public func offset(of plane: Int) -> Int { offset + plane * stride }
}

extension ShardRows {
  /// How many planes a sum over the run fills: one for each complete subtree, or one in all.
  public var planeCount: Int { planes == nil ? 1 : (first..<first + count).subtreeCount }

  /// The same run, with sums in planes of other memory `stride` apart, if they go to planes.
  public func inPlanes(stride: Int) -> ShardRows {
    var moved = self
    if planes != nil { moved.planes = SumPlanes(stride: stride) }
    return moved
  }

  /// Calls `body` for each plane that a sum over the run fills, with what is summed there.
  /// - Parameter body: gets a complete subtree of the run, or all of it; the first of its rows; and
  ///   the elements from the sum's place to the plane.
  func forEachPlane(_ body: (_ part: ShardRows, _ firstRow: Int, _ offset: Int) -> Void) {
    guard let planes, planeCount > 1 else { return body(self, 0, planes?.offset ?? 0) }
    var rest = first..<first + count
    var plane = 0
    while !rest.isEmpty {
      let subtree = rest.leadingSubtree
      let range = subtree.lowerBound - first..<subtree.upperBound - first
      body(part(range), rows(of: range.lowerBound).lowerBound, planes.offset(of: plane))
      rest = subtree.upperBound..<rest.upperBound
      plane += 1
    }
  }
}
