/// A transfer on its way, cut into segments: some are under way while others are still to come.
struct Flow {
  /// Segments, and how many of them have been started and have completed.
  let segments: Int
  private(set) var started = 0
  private(set) var completed = 0
  private var pending = InlineArray<4, TransferID>(repeating: TransferID(slot: 0))

  init(segments: Int) { self.segments = segments }

  /// Segments of one transfer that may be under way at once.
  static let window = 4

  var isComplete: Bool { completed == segments }

  /// Whether the next segment may be started, when all before `limit` may.
  func canStart(before limit: Int) -> Bool {
    started < min(limit, segments) && started - completed < Flow.window
  }

  mutating func start(_ transfer: TransferID) {
    pending[started % Flow.window] = transfer
    started += 1
  }

  /// Takes note of segments that have completed, in their order.
  mutating func progress(_ transport: any PointToPoint) throws {
    while completed < started, try transport.test(pending[completed % Flow.window]) {
      completed += 1
    }
  }

  mutating func reset() {
    started = 0
    completed = 0
  }
}
