//! Internet addresses: cut before anything keeps them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address with its host bits cleared: /24 for IPv4, /48 for IPv6 (IPv4-mapped ones count as IPv4).
pub fn anonymize(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
        }
    }
}

/// True for addresses that no visitor on the internet has (RFC 6890, and for IPv6 all but global unicast, RFC 4291).
pub fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || (a == 100 && (64..128).contains(&b))
                || a == 0
                || a >= 240
        }
        // Visitors have addresses of 2000::/3, or are seen through NAT64 (64:ff9b::/96).
        IpAddr::V6(v6) => {
            let [a, b, ..] = v6.segments();
            a & 0xe000 != 0x2000 && (a, b) != (0x64, 0xff9b)
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_host_bit_survives(v4: u32, v6: u128) {
            let IpAddr::V4(cut) = anonymize(Ipv4Addr::from(v4).into()) else { panic!("family") };
            prop_assert_eq!(u32::from(cut) & 0xff, 0);
            if let IpAddr::V6(cut) = anonymize(Ipv6Addr::from(v6).into()) {
                prop_assert_eq!(u128::from(cut) << 48, 0);
            }
        }
    }

    #[test]
    fn private_and_reserved_addresses_are_told() {
        for ip in ["10.1.2.3", "127.0.0.1", "100.64.0.1", "::1", "fd00::1", "::ffff:192.168.0.1", "0.0.0.0", "::f", "fe80::1", "ff02::1"] {
            assert!(is_private(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["93.184.216.34", "2a00:1450:4001::1", "64:ff9b::808:808"] {
            assert!(!is_private(ip.parse().unwrap()), "{ip}");
        }
    }
}
