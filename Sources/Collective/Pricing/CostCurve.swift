/// Seconds as a function of bytes: nothing for nothing, then straight lines between measured
/// points, so that caches and changes of protocol show (as in PLogP: Kielmann, Bal & Verstoep,
/// IPDPS Workshops 2000).
public struct CostCurve: Equatable, Sendable {
  /// What was measured at one size.
  public struct Point: Equatable, Sendable, Codable {
    public var bytes: Int
    public var seconds: Double

    public init(bytes: Int, seconds: Double) {
      self.bytes = bytes
      self.seconds = seconds
    }
  }

  /// Ascending in bytes, never descending in seconds; empty for a line through the origin.
  public let points: [Point]
  /// Beyond the last point.
  public let secondsPerByte: Double

  /// The same for every byte.
  public init(secondsPerByte: Double) {
    precondition(secondsPerByte >= 0)
    points = []
    self.secondsPerByte = secondsPerByte
  }

  /// Through `points`, levelled. Beyond the last, the last slope that is not flat goes on.
  /// - Precondition: sizes are positive and ascend; times are not negative.
  public init(through points: [Point]) {
    precondition(zip(points, points.dropFirst()).allSatisfy { $0.bytes < $1.bytes })
    precondition(points.allSatisfy { $0.bytes > 0 && $0.seconds >= 0 })
    self.points = CostCurve.levelled(points)
    var slope = 0.0
    var previous = Point(bytes: 0, seconds: 0)
    for point in self.points {
      if point.seconds > previous.seconds {
        slope = (point.seconds - previous.seconds) / Double(point.bytes - previous.bytes)
      }
      previous = point
    }
    secondsPerByte = slope
  }

  /// Times that never fall with the size: disturbances only add time, so what more bytes were done
  /// in is enough for fewer.
  static func levelled(_ points: [Point]) -> [Point] {
    var least = Double.infinity
    return points.reversed().map { point in
      least = min(least, point.seconds)
      return Point(bytes: point.bytes, seconds: least)
    }.reversed()
  }

  public func seconds(_ bytes: Int) -> Double {
    guard let last = points.last else { return Double(bytes) * secondsPerByte }
    guard bytes < last.bytes else {
      return last.seconds + Double(bytes - last.bytes) * secondsPerByte
    }
    let next = points.firstIndex { bytes < $0.bytes }!
    let (from, to) = (next == 0 ? Point(bytes: 0, seconds: 0) : points[next - 1], points[next])
    let share = Double(bytes - from.bytes) / Double(to.bytes - from.bytes)
    return from.seconds + share * (to.seconds - from.seconds)
  }
}
