/// What the words of financial headlines say about a holder's prospects: our own judgement of each, on the
/// scale of Hutto & Gilbert (ICWSM 2014), −4 to 4. Phrases, written with `_`, count in place of their words.
/// Forms are listed one by one, since stemming would make "share" and "shares", "cut" and "cutting-edge" one.
///
/// Three classes of their own belong to finance. A **movement** ("falls") is bad of a price or a **boon**
/// ("profit falls") and good of a **burden** ("costs fall"); only where none of them moves, boons are good
/// and burdens bad by themselves.
enum SentimentLexicon {
    /// What a term does in a headline.
    enum Role: Hashable {
        /// Good or bad by itself.
        case valence(Double)
        /// Up or down: its valence where it is said of something that one wants more of.
        case movement(Double)
        /// Something that one wants less of, and its valence without movement.
        case burden(Double)
        /// Something that one wants more of, and its valence without movement.
        case boon(Double)
        /// Strengthens what it stands by, or weakens it.
        case degree(Double)
        /// Turns what follows around; its own valence beside that.
        case negation(Double)
        /// What follows outweighs what came before: "but".
        case contrast
        /// What follows matters less: "despite".
        case concession
        /// Begins another part of the sentence: "as".
        case clause
        /// Says nothing, and keeps its words from saying something: "price target".
        case nothing
    }

    /// The scale of the adverbs of degree in Hutto & Gilbert (2014): how much one adds.
    static let degreeStep = 0.293

    static let roles: [(Role, String)] =
        valences.map { (.valence($0), $1) } + movements.map { (.movement($0), $1) } + others

    private static let valences: [(Double, String)] = [
        (
            3,
            """
            blockbuster blowout record_profit record_profits record_earnings record_revenue record_sales
            record_results record_quarter all_time_high all_time_highs record_high record_highs
            """
        ),
        (
            2.5,
            """
            triumph triumphs breakthrough breakthroughs outstanding stellar exceptional crushes smashes
            trounces blows_past windfall bonanza record_run record_rally
            """
        ),
        (
            2,
            """
            beat beats beating tops topped exceeds exceeded exceeding outperform outperforms outperformed
            outperforming outperformance outshine outshines outshone upgrade upgrades upgraded upgrading
            bullish boom booms booming thrive thrives thriving profitable success successful succeeds
            succeeded win wins winning won approval approves approved approve clears cleared breakout strong
            stronger strongest robust excellent impressive impresses blue_chip winner winners turnaround
            ahead_of_estimates above_estimates above_expectations better_than_expected better_than_feared
            raises_guidance raised_guidance raises_outlook raised_outlook lifts_guidance lifts_outlook
            boosts_guidance boosts_outlook raises_forecast lifts_forecast boosts_forecast hikes_forecast
            raises_dividend hikes_dividend boosts_dividend raises_price_target lifts_price_target
            boosts_price_target raises_target lifts_ban lift_ban strong_buy overcomes overcame
            """
        ),
        (
            1.5,
            """
            good great better best improve improves improved improving improvement upbeat optimistic
            confident favorable favourable healthy resilient resilience solid steady_growth opportunity
            opportunities attractive undervalued bargain cheap buyback buybacks repurchase repurchases
            special_dividend dividend_increase profited gain gained gains rebound rebounds rebounded
            rebounding recover recovers recovered recovering recovery rally rallies rallied rallying award
            awarded awards landmark promising positive positively lucrative leads leadership leading
            dominates dominated dominate outpaces outpaced accretive synergies innovative innovation rewards
            rewarding wins_approval gains_approval fda_approval settles settled settlement resolves resolved
            dismissed acquitted stimulus rate_cut rate_cuts cuts_rates cut_rates dovish cost_cuts
            cost_cutting oversubscribed buy_rating overweight revival revives revived reinstates reinstated
            unlocks
            """
        ),
        (
            0.8,
            """
            buy buys buying bought invests invested backs backed support supports supported secures secured
            expands expanded expanding expansion launch launches launched unveils unveiled partnership
            partners partner deal agreement agree agrees agreed contract contracts collaboration stable
            stability steady safe safer hopeful boosted benefit benefits benefited benefiting pulls_in
            strikes_deal save saves saved accumulate accumulates interest_in adopts adoption embraces
            welcomes praised praises extends extend
            """
        ),
        (-0.8, "questions questioned sell sells selling sold tepid mixed muted flat"),
        (
            -1,
            """
            cautious caution concerned uncertain doubtful volatile delayed delaying postpones postponed
            slower slowdown sluggish pressured headwind challenge challenges challenged challenging struggle
            struggles struggled struggling risky warning_signs underweight don't_like doesn't_like
            overvalued expensive pricey bubble bubbles hole dilution dilutive dilutes unrest dispute
            disputes disputed complaint complaints criticism criticized criticised hawkish strike strikes
            halt halts halted pauses paused limbo rate_hike rate_hikes hikes_rates debt_load oversupply glut
            shortage shortages price_war unprofitable loss_making
            """
        ),
        (
            -1.5,
            """
            bad worse worst weak weaker weakest weakness disappoint disappoints disappointed disappointing
            disappointment underperform underperforms underperformed underperforming underperformance warn
            warns warned warning warnings downbeat pessimistic pessimism bearish negative negatively feared
            worry worried worrying layoff lays_off job_cuts cuts_jobs cut_jobs slashes_jobs shortfall lags
            lagged lag laggard loses losing lose lost trouble troubles troubled threatens threatened
            threaten hurt hurts hurting harm harms harmed ban bans banned banning fine fines fined penalty
            penalties accused accuses accuse allegation allegations alleged allege alleges lawsuit lawsuits
            sue sues sued suing probe probes probed investigation investigations investigated investigates
            subpoena subpoenas recall recalls recalled outage outages resigns resigned resignation ousted
            ousts rejected rejects_bid withdraws_guidance anti_competitive anticompetitive antitrust
            monopoly overhang error errors ugly gloomy gloom dividend_cut cuts_dividend sell_rating stumbles
            stumbled stumble falters faltered abandons abandoned cancels canceled cancelled scraps scrapped
            jitters
            """
        ),
        (
            -2,
            """
            miss misses missed missing_estimates downgrade downgrades downgraded downgrading falls_short
            fell_short fall_short below_estimates below_expectations worse_than_expected cuts_guidance
            guidance_cut cut_guidance cuts_outlook cut_outlook cuts_forecast cut_forecast lowers_guidance
            lowers_outlook lowers_forecast lowered_guidance lowered_outlook slashes_guidance slashes_outlook
            slashes_forecast guidance_cuts profit_warning profit_warnings cuts_price_target
            lowers_price_target slashes_price_target cuts_target suspends_dividend slashes_dividend selloff
            selloffs sell_off sells_off recession downturn turmoil crisis panic breach breaches breached
            hack hacks hacked cyberattack ransomware steal steals stolen theft violation violations violates
            violated guilty charged_with impairment write_down writedown write_off restates restatement
            delisted delisting delist data_breach junk contagion short_seller going_concern liquidity_crunch
            """
        ),
        (
            -3,
            """
            bankruptcy bankrupt insolvency insolvent fraud fraudulent scandal scandals collapse collapses
            collapsed collapsing crash crashes crashed crashing default defaults defaulted catastrophe
            catastrophic disaster disastrous meltdown ponzi embezzlement chapter_11 bank_run indicted
            indictment liquidation wiped_out wipes_out record_low record_lows all_time_low bloodbath rout
            """
        ),
    ]

    private static let movements: [(Double, String)] = [
        (2.5, "soar soars soared soaring surge surges surged surging skyrocket skyrockets skyrocketed"),
        (
            2,
            "jump jumps jumped jumping spike spikes spiked spiking leap leaps leaped accelerates accelerated"
        ),
        (
            1.5,
            """
            rise rises rose rising climb climbs climbed climbing increase increases increased increasing
            higher boost boosts doubles doubled triples tripled swells swelled widens widened widen raise
            raises raised mount mounts mounting hike hikes hiked grow grows grew grown growing lift lifts
            lifted
            """
        ),
        (1, "up advance advances advanced edges_up edge_up edges_higher ticks_up inches_up"),
        (
            -1,
            """
            down edges_down edges_lower ticks_down inches_down retreat retreats retreated ease eases eased
            easing softer slow slows slowing slowed stall stalls stalled
            """
        ),
        (
            -1.5,
            """
            fall falls fell falling drop drops dropped dropping decline declines declined declining lower
            lowers lowered decrease decreases decreased decreasing dip dips dipped dipping slip slips
            slipped slipping slide slides slid sliding sink sinks sank sinking shrink shrinks shrank
            shrinking narrow narrows narrowed narrowing halves halved cut cuts cutting reduce reduces
            reduced reducing trims trimmed weakens weakened fade fades faded fading cool cools cooled
            cooling
            """
        ),
        (-2, "tumble tumbles tumbled tumbling slump slumps slumped slumping slash slashes slashed sheds"),
        (-2.5, "plunge plunges plunged plunging plummet plummets plummeted plummeting nosedive nosedives"),
    ]

    private static let others: [(Role, String)] = [
        (
            .boon(1.5),
            """
            profit profits growth demand momentum confidence optimism surplus strength profitability
            """
        ),
        (.boon(0.8), "dividend dividends inflows hope hopes upside popularity"),
        (
            .burden(-1.5),
            "loss losses deficit deficits bad_loans bad_debt net_loss write_offs delinquencies"
        ),
        (
            .burden(-1),
            """
            concern concerns uncertainty doubt doubts volatility pressure pressures risk risks tariff
            tariffs outflow outflows tension tensions headwinds fear fears worries threat threats layoffs
            delay delays
            """
        ),
        (
            .burden(-0.6),
            """
            inflation costs cost expenses debt debts unemployment jobless jobless_claims liabilities churn
            expense emissions leverage short_interest vacancies inventories
            """
        ),
        (
            .degree(degreeStep),
            """
            sharply strongly significantly massively hugely dramatically steeply deeply heavily
            substantially extremely very big huge massive major steep deep record really badly rapidly
            easily vastly
            """
        ),
        (
            .degree(-degreeStep),
            """
            slightly modestly marginally somewhat mildly partly partially barely_changed a_bit a_little
            moderately minor small modest marginal
            """
        ),
        (
            .negation(0),
            """
            not no never without neither nor cannot can't won't isn't aren't wasn't weren't doesn't don't
            didn't hasn't haven't hadn't wouldn't shouldn't couldn't cant wont isnt doesnt dont didnt barely
            hardly scarcely avoid avoids avoided avoiding averts averted dodges dodged escapes escaped
            denies denied lack_of rules_out ends
            """
        ),
        (
            .negation(-1),
            "fail fails failed failing failure_to unable lacks lacking rejects refuses refused blocks blocked"
        ),
        (.contrast, "but however"),
        (.clause, "as while when because since and on amid over from with after even_as even_after"),
        (.concession, "despite"),
        (
            .nothing,
            """
            price_target price_targets not_only growth_stock growth_stocks rising_star short_term long_term
            profit_and_loss what_to_expect to_know hedge_fund hedge_funds no_1 best_buy most_popular
            gold_standard up_to down_under made_up record_date ex_dividend fixed_income intrinsic_value
            trending_stock falling_knife beat_up set_up start_up open_up follow_up look_up make_up end_up
            line_up climate_change
            """
        ),
    ]
}
