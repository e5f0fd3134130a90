import Testing

@testable import Benchmarks

struct SizeRangeTests {
  @Test(
    "a range of sizes is read, and written the same way",
    arguments: [
      ("4:64M:4", 4, 67_108_864, 4, "4:64M:4"), ("1K:1536K:2", 1024, 1_572_864, 2, "1K:1536K:2"),
      ("64K:256M", 65536, 268_435_456, 4, "64K:256M:4"), ("1024", 1024, 1024, 4, "1K:1K:4"),
    ] as [(String, Int, Int, Int, String)])
  func reads(text: String, minimum: Int, maximum: Int, factor: Int, written: String) throws {
    let sizes = try #require(SizeRange(text))
    #expect(sizes.minimum == minimum && sizes.maximum == maximum && sizes.factor == factor)
    #expect(sizes.text == written)
    #expect(SizeRange(written) == sizes)
  }

  @Test(
    "what is no range of sizes is refused",
    arguments: [
      "", ":", "4:", "4:2", "0:4", "-4:8", "4:8:1", "4:8:2:2", "4:8:x", "4T", "64k", "K", "2G", "x",
      "99999999999999999999", "9999999999999G",
    ])
  func refuses(text: String) { #expect(SizeRange(text) == nil) }

  @Test("sizes are whole elements, each once")
  func wholeElements() throws {
    let sizes = try #require(SizeRange("3:100:3"))
    #expect(sizes.sizes(stride: 1) == [3, 9, 27, 81])
    #expect(sizes.sizes(stride: 8) == [8, 24, 80])
    #expect(try #require(SizeRange("8:15:4")).sizes(stride: 8) == [8])
    #expect(try #require(SizeRange("1:7:2")).sizes(stride: 8) == [])
  }
}
