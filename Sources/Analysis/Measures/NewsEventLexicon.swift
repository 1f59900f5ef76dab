import FIMLCore

/// What kind of event a headline tells of.
enum NewsEvent: String, CaseIterable, JSONWritable {
    case bankruptcy
    case merger = "merger_acquisition"
    case guidance
    case earnings
    case legal = "legal_regulatory"
    case security = "security_incident"
    case rating = "rating_change"
    case capitalReturn = "dividend_buyback"
    case financing
    case management
    case product
    case partnership
    case labor
    case macro = "macro_economy"
    case priceMove = "price_move"

    /// 3: what commonly moves a price by itself; 2: what may; 1: what seldom does. The order of the kinds
    /// follows the abnormal returns that event studies report for announcements (surveyed by MacKinlay,
    /// Journal of Economic Literature 35, 1997: mergers and earnings first); the steps are our judgement.
    var weight: Int {
        switch self {
        case .bankruptcy, .merger, .guidance, .earnings: 3
        case .legal, .security, .rating, .capitalReturn, .financing, .management: 2
        case .product, .partnership, .labor, .macro, .priceMove: 1
        }
    }

    /// Where of several the less counts: the order of the cases.
    var precedence: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }
}

/// The words by which a kind of event is told. A headline is of the kind of most weight that any of its terms
/// names; of several of one weight the one that `NewsEvent` lists first.
enum NewsEventLexicon {
    static let terms: [(NewsEvent, String)] = [
        (
            .bankruptcy,
            """
            bankruptcy bankrupt insolvency insolvent chapter_11 defaults defaulted liquidation bank_run
            receivership going_concern
            """
        ),
        (
            .merger,
            """
            merger mergers merges merge acquires acquire acquired acquisition acquisitions acquiring
            takeover takeovers buyout buyouts takes_over bid_for hostile_bid merger_talks spin_off spinoff
            divests divestiture sells_stake takes_stake
            """
        ),
        (
            .guidance,
            """
            guidance outlook forecast forecasts raises_outlook cuts_outlook lowers_outlook profit_warning
            profit_warnings full_year_outlook withdraws_guidance
            """
        ),
        (
            .earnings,
            """
            earnings eps quarterly_results q1_results q2_results q3_results q4_results quarterly_profit
            quarterly_loss beats_estimates misses_estimates tops_estimates beats_expectations profit_rises
            profit_falls revenue_beat revenue_miss net_income first_quarter second_quarter third_quarter
            fourth_quarter q1 q2 q3 q4 quarterly_revenue quarterly_sales beats_forecasts
            """
        ),
        (
            .legal,
            """
            lawsuit lawsuits sues sued sue suing judge antitrust anti_competitive anticompetitive monopoly
            regulator regulators regulatory regulation probe probes investigation investigates investigated
            subpoena sec_charges supreme_court doj ftc fda fined fines penalty settlement settles settled
            ban bans banned indicted indictment fraud guilty verdict accused accuses sanctions
            competition_commission class_action ruling appeals tariff tariffs patent patents
            """
        ),
        (
            .security,
            """
            hack hacked hackers hacks breach breached cyberattack ransomware data_breach data_leak outage
            outages exploit exploited vulnerability
            """
        ),
        (
            .rating,
            """
            upgrade upgrades upgraded downgrade downgrades downgraded price_target price_targets equalweight
            equal_weight overweight underweight initiates_coverage buy_rating sell_rating hold_rating
            outperform_rating credit_rating moody's raises_target cuts_target maintains_rating
            """
        ),
        (
            .capitalReturn,
            """
            dividend dividends buyback buybacks repurchase repurchases share_repurchase stock_split
            reverse_split special_dividend payout
            """
        ),
        (
            .financing,
            """
            ipo offering secondary_offering share_sale bond_sale convertible_notes raises_capital
            capital_raise funding_round debt_offering private_placement refinances refinancing rights_issue
            """
        ),
        (
            .management,
            """
            ceo cfo coo chairman chairwoman chief_executive chief_financial resigns resigned resignation
            steps_down appoints appointed names_new ousted ousts successor board_member retires
            """
        ),
        (
            .product,
            """
            launch launches launched unveils unveiled introduces release releases recall recalls recalled
            product products rollout trial trials approval new_model listed_on
            """
        ),
        (
            .partnership,
            """
            partnership partners partner contract contracts agreement deal collaboration joint_venture
            agree_on investment_plan
            """
        ),
        (.labor, "layoff layoffs lays_off job_cuts cuts_jobs strike strikes labor_union hiring_freeze"),
        (
            .macro,
            """
            inflation fed feds federal_reserve interest_rate interest_rates rate_cut rate_cuts rate_hike
            rate_hikes gdp unemployment jobless jobs_report recession cpi ecb central_bank trade_war
            """
        ),
        (
            .priceMove,
            """
            rally rallies rallied surges surge soars soar soared jumps jumped plunges plunged plunge tumbles
            tumbled slumps slumped drops dropped falls fell rises rose climbs climbed gains slides slid
            sinks sank selloff sell_off record_high record_low record_run all_time_high fall rise
            """
        ),
    ]
}
