"""WeCom, the WeChat of companies 企业微信."""
