import Testing

@testable import Collective

private func point(_ bytes: Int, _ seconds: Double) -> CostCurve.Point {
  .init(bytes: bytes, seconds: seconds)
}

@Test("a curve goes from nothing through its points, straight, and on as it ended")
func curve() {
  let curve = CostCurve(through: [point(100, 10), point(200, 12), point(400, 40)])
  for (bytes, seconds) in [
    (0, 0), (50, 5), (100, 10), (150, 11), (200, 12), (300, 26), (400, 40), (500, 54),
  ] as [(Int, Double)] { #expect(curve.seconds(bytes) == seconds) }
  let line = CostCurve(secondsPerByte: 0.5)
  #expect(line.seconds(0) == 0 && line.seconds(7) == 3.5)
}

@Test("measured times that fall with the size are levelled; a flat end goes on with the last slope")
func levelled() {
  let curve = CostCurve(through: [point(10, 5), point(20, 9), point(30, 7), point(40, 8)])
  #expect(curve.points.map(\.seconds) == [5, 7, 7, 8])
  let flat = CostCurve(through: [point(10, 5), point(20, 9), point(30, 9)])
  #expect(flat.seconds(40) == 9 + 10 * 0.4)
}

@Test("a link's alpha is where its messages would have no bytes")
func linkFit() {
  let times = [64, 1024, 65536].map { point($0, 2e-6 + Double($0) * 1e-9) }
  let link = MessageCost(messages: times)
  #expect(abs(link.alpha - 2e-6) < 1e-18)
  for time in times { #expect(abs(link.seconds(time.bytes) - time.seconds) < 1e-15) }
  #expect(abs(link.seconds(1 << 20) - (2e-6 + 0x1p20 * 1e-9)) < 1e-12)
  // A single size tells nothing of the slope; two that contradict each other make no negative one.
  #expect(MessageCost(messages: [point(8, 3)]).alpha == 3)
  #expect(MessageCost(messages: [point(8, 3), point(64, 2)]).alpha == 2)
  #expect(MessageCost(messages: [point(8, 1), point(9, 100)]).alpha == 0)
}
