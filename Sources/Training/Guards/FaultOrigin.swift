/// Where all ranks' numbers stopped being finite, from what each rank found on its own.
///
/// A rank that finds its fault later on the way than another has got it from there - by a sum over the
/// batch - and is not to blame.
struct FaultOrigin: Equatable {
  /// The first place, as the first of the ranks names it.
  private(set) var fault: NumericFault?
  /// The ranks that name this place.
  private(set) var ranks: [Int] = []
  private let size: Int

  /// - Parameter faults: of each rank; nil where everything was finite.
  init(_ faults: [NumericFault?]) {
    size = faults.count
    guard let order = faults.compactMap({ $0?.order }).min() else { return }
    ranks = faults.indices.filter { faults[$0]?.order == order }
    fault = faults[ranks[0]]
  }

  /// Whether it lies in the samples.
  var isOfData: Bool { fault?.order == FaultSearch.orderOfInputs }

  /// - Parameter hosts: of each rank.
  func text(hosts: [String]) -> String {
    guard let fault else {
      return
        "no rank finds it when it computes its part again: finite gradients add up to more than a "
        + "float holds, or memory or network of a host is not to be trusted"
    }
    if ranks.count == size, size > 1, !isOfData {
      return "it begins with \(fault.place), on all ranks"
    }
    let names = ranks.map { "rank \($0) on \(hosts[$0])" }.joined(separator: ", ")
    let sample = fault.sample.map { ", first for sample \($0) of data.train" } ?? ""
    return "it begins \(size > 1 ? "on \(names) " : "")with \(fault.place)\(sample)"
  }
}
